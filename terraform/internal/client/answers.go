package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
)

// Problem is an error that the service has answered.
type Problem struct {
	api.Problem
}

func (p *Problem) Error() string {
	text := p.Detail
	if p.Errors != nil {
		for _, fault := range *p.Errors {
			text += fmt.Sprintf("\n%s: %s", fault.Pointer, fault.Detail)
		}
	}
	return fmt.Sprintf("%s\n\n%s (status %d, request %s)", text, p.Code, p.Status, p.RequestId)
}

// IsCode tells whether the service has answered this code.
func IsCode(err error, codes ...string) bool {
	var problem *Problem
	if !errors.As(err, &problem) {
		return false
	}
	for _, code := range codes {
		if problem.Code == code {
			return true
		}
	}
	return false
}

// IsGone tells whether what was asked for is not there, or not visible.
func IsGone(err error) bool { return IsCode(err, "not_found", "gone") }

func problemCode(answer *http.Response) string {
	body, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	var problem api.Problem
	if err != nil || json.Unmarshal(body, &problem) != nil {
		return ""
	}
	return problem.Code
}

// Check is the error that an answer is, or nil.
func Check(answer *http.Response, err error) error {
	if err != nil {
		return err
	}
	if answer.StatusCode < 300 {
		return nil
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	problem := &Problem{}
	if json.Unmarshal(body, &problem.Problem) != nil || problem.Code == "" {
		url := answer.Request.URL
		return fmt.Errorf("%s %s was answered %s, and not by Firn: is the endpoint right?", answer.Request.Method, url.Path, answer.Status)
	}
	return problem
}

// Read is what an answer says.
func Read[T any](answer *http.Response, err error) (T, error) {
	value, _, err := ReadVersion[T](answer, err)
	return value, err
}

// ReadVersion is what an answer says, and its ETag.
func ReadVersion[T any](answer *http.Response, err error) (T, string, error) {
	var value T
	if err := Check(answer, err); err != nil {
		return value, "", err
	}
	if err := json.NewDecoder(answer.Body).Decode(&value); err != nil {
		return value, "", fmt.Errorf("%s %s: %w", answer.Request.Method, answer.Request.URL.Path, err)
	}
	return value, answer.Header.Get("ETag"), nil
}

// Settle reads the answer to a write and, if not every broker knew of it yet, waits until they do.
func Settle[T any](ctx context.Context, c *Client, answer *http.Response, err error) (T, error) {
	value, err := Read[T](answer, err)
	if err != nil {
		return value, err
	}
	return value, c.inForce(ctx, answer)
}

// Done is Settle for a write whose answer says nothing. What is gone already is done.
func (c *Client) Done(ctx context.Context, answer *http.Response, err error) error {
	err = Check(answer, err)
	if IsGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.inForce(ctx, answer)
}

// NotInForceError tells of a change that is made, and of which it is not known whether every broker serves it.
type NotInForceError struct{ Cause error }

func (e *NotInForceError) Error() string {
	return fmt.Sprintf("the change is made, and it is not known whether it is in force: %v", e.Cause)
}

func (e *NotInForceError) Unwrap() error { return e.Cause }

const longestWait = 30

// inForce waits for the operation that a 202 names.
func (c *Client) inForce(ctx context.Context, answer *http.Response) error {
	location := answer.Header.Get("Location")
	if answer.StatusCode != http.StatusAccepted || !strings.Contains(location, "/v1/operations/") {
		return nil
	}
	id := location[strings.LastIndex(location, "/")+1:]
	for {
		wait := int64(longestWait)
		operation, err := Read[api.Operation](c.API.GetOperation(ctx, id, &api.GetOperationParams{Wait: &wait}))
		if IsGone(err) {
			// It was done so long ago that it is forgotten.
			return nil
		}
		if err != nil {
			return &NotInForceError{err}
		}
		if operation.Status == api.ProgressDone {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return &NotInForceError{err}
		}
	}
}

// page is one page of any list.
type page[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// All is every item of a list.
func All[T any](next func(cursor *string) (*http.Response, error)) ([]T, error) {
	var all []T
	var cursor *string
	for {
		page, err := Read[page[T]](next(cursor))
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == nil || *page.NextCursor == "" {
			return all, nil
		}
		cursor = page.NextCursor
	}
}
