package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	firstPause   = 200 * time.Millisecond
	longestPause = 20 * time.Second
	// No answer of the API that the provider reads is larger.
	largestAnswer = 64 << 20
)

// patient sends requests, and sends them again when the service says when, or when nothing was answered to what may be repeated.
type patient struct {
	transport  *http.Client
	maxRetries int
	sleep      func(context.Context, time.Duration) error
	now        func() time.Time
}

// Do sends one request. The answer's body has been read, and is in memory.
func (p *patient) Do(request *http.Request) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		again, err := fresh(request, attempt)
		if err != nil {
			return nil, err
		}
		answer, err := p.once(again)
		if err != nil && request.Context().Err() != nil {
			return nil, request.Context().Err()
		}
		pause, wanted := p.pause(request, answer, err, attempt)
		if !wanted || attempt >= p.maxRetries {
			return answer, err
		}
		if deadline, has := request.Context().Deadline(); has && p.now().Add(pause).After(deadline) {
			return answer, tooLong(err, pause)
		}
		if err := p.sleep(request.Context(), pause); err != nil {
			return nil, err
		}
	}
}

func tooLong(err error, pause time.Duration) error {
	if err != nil {
		return fmt.Errorf("the time is up, and the next attempt would be in %s: %w", pause, err)
	}
	return nil
}

// fresh is the request with its body from the beginning.
func fresh(request *http.Request, attempt int) (*http.Request, error) {
	if attempt == 0 {
		return request, nil
	}
	again := request.Clone(request.Context())
	if request.Body == nil || request.Body == http.NoBody {
		return again, nil
	}
	if request.GetBody == nil {
		return nil, errors.New("the request's body cannot be sent twice")
	}
	body, err := request.GetBody()
	again.Body = body
	return again, err
}

func (p *patient) once(request *http.Request) (*http.Response, error) {
	answer, err := p.transport.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, largestAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > largestAnswer {
		return nil, fmt.Errorf("%s %s answered more than %d bytes", request.Method, request.URL.Path, largestAnswer)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// pause is how long to wait before the request is sent again, and whether it is to be.
func (p *patient) pause(request *http.Request, answer *http.Response, err error, attempt int) (time.Duration, bool) {
	backoff := min(firstPause<<min(attempt, 10), longestPause)
	backoff += rand.N(backoff / 2)
	// A PATCH that was done and not answered would find another version.
	repeatable := request.Method != http.MethodPatch
	if err != nil {
		return backoff, repeatable
	}
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if told, ok := p.retryAfter(answer); ok {
			// Not all of those who wait at the same moment.
			return told + rand.N(firstPause), true
		}
		return backoff, true
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return backoff, repeatable
	case http.StatusConflict:
		return backoff, problemCode(answer) == "idempotency_in_flight"
	default:
		return 0, false
	}
}

// retryAfter reads the header: seconds, or a date.
func (p *patient) retryAfter(answer *http.Response) (time.Duration, bool) {
	text := answer.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(date.Sub(p.now()), 0), true
	}
	return 0, false
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
