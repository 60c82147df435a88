// Package client speaks to Firn's REST API: as the bearer of an API key, patiently where the service asks for it, and with one
// listing for many reads.
package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
)

// Settings say where the service is and who asks.
type Settings struct {
	// Endpoint is the address of the API, without the path.
	Endpoint string
	// APIKey is the key, or a token that was given for one.
	APIKey string
	// MaxRetries is how often a request is sent again that was told to wait, or was not answered.
	MaxRetries int
	// UserAgent names this program.
	UserAgent string
}

// Client is what all resources of a provider share.
type Client struct {
	// API sends one request for each operation. What is read of an answer is up to Read, Settle and All.
	API *api.Client

	settings Settings

	acls          *batcher
	Topics        *Coalesced[api.Topic]
	ACLs          *Coalesced[api.Acl]
	Scrams        *Coalesced[api.ScramCredential]
	Quotas        *Coalesced[api.Quota]
	Accounts      *Coalesced[api.ServiceAccount]
	RoleBindings  *Coalesced[api.RoleBinding]
	organizations sync.Mutex
	organization  string
}

// New is a client with these settings; it has not asked anything yet.
func New(settings Settings) (*Client, error) {
	endpoint, err := url.Parse(settings.Endpoint)
	if err != nil || endpoint.Host == "" || (endpoint.Scheme != "http" && endpoint.Scheme != "https") {
		return nil, fmt.Errorf("the endpoint %q is no http or https URL", settings.Endpoint)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// Terraform asks ten things at once; the default keeps two connections.
	transport.MaxIdleConnsPerHost = 16
	// Shorter than any server or proxy waits: a PATCH on a connection that they have just closed could not be sent again.
	transport.IdleConnTimeout = 3 * time.Second
	patient := &patient{
		transport:  &http.Client{Transport: transport, CheckRedirect: refuseRedirect},
		maxRetries: settings.MaxRetries,
		sleep:      sleep,
		now:        time.Now,
	}
	raw, err := api.NewClient(
		strings.TrimSuffix(settings.Endpoint, "/"),
		api.WithHTTPClient(patient),
		api.WithRequestEditorFn(settings.sign),
	)
	if err != nil {
		return nil, err
	}
	c := &Client{API: raw, settings: settings}
	c.acls = newBatcher(c.changeACLs)
	c.coalesce()
	return c, nil
}

// As is the same service for the bearer of another key.
func (c *Client) As(apiKey string) (*Client, error) {
	settings := c.settings
	settings.APIKey = apiKey
	return New(settings)
}

// sign says who asks, and names a POST so that sending it twice does it once.
func (s Settings) sign(_ context.Context, request *http.Request) error {
	request.Header.Set("Authorization", "Bearer "+s.APIKey)
	request.Header.Set("User-Agent", s.UserAgent)
	request.Header.Set("Accept", "application/json, application/problem+json")
	if request.Method == http.MethodPost && request.Header.Get("Idempotency-Key") == "" {
		request.Header.Set("Idempotency-Key", rand.Text())
	}
	return nil
}

// The API never redirects programs, and a key must not follow one elsewhere.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Organization is the one that is given, or else the one that the key's bearer is in; an error if there are several to choose from.
func (c *Client) Organization(ctx context.Context, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	c.organizations.Lock()
	defer c.organizations.Unlock()
	if c.organization != "" {
		return c.organization, nil
	}
	found, err := All[api.Organization](func(cursor *string) (*http.Response, error) {
		return c.API.ListOrganizations(ctx, &api.ListOrganizationsParams{Cursor: cursor})
	})
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", errors.New("the API key does not belong to exactly one organization: set the attribute `organization`")
	}
	c.organization = found[0].Id
	return c.organization, nil
}
