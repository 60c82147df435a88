// Package apikey is firn_api_key: what a program shows to the REST API, and to Kafka over SASL/PLAIN.
package apikey

import (
	"cmp"
	"context"
	"net/http"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID             types.String `tfsdk:"id"`
	ServiceAccount types.String `tfsdk:"service_account"`
	Cluster        types.String `tfsdk:"cluster"`
	Name           types.String `tfsdk:"name"`
	ExpiresAt      types.String `tfsdk:"expires_at"`
	CreatedAt      types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
	Secret        types.String `tfsdk:"secret_wo"`
	SecretVersion types.Int64  `tfsdk:"secret_wo_version"`
}

func (m *attributes) fill(key api.ApiKey) {
	m.ID = types.StringValue(key.Id)
	m.ServiceAccount = types.StringValue(key.ServiceAccount)
	m.Cluster = types.StringPointerValue(key.Cluster)
	m.Name = types.StringValue(key.Name)
	m.ExpiresAt = managed.MomentIfAny(key.ExpiresAt, m.ExpiresAt)
	m.CreatedAt = managed.Moment(key.CreatedAt)
}

var random = regexp.MustCompile("^[a-z2-7]{52}$")

var schemaAttributes = map[string]schema.Attribute{
	"id":              managed.Told("The id, `key_…`; also the user name of SASL/PLAIN."),
	"service_account": managed.Fixed("The id of the service account whose key it is.", managed.IsID("sa")),
	"cluster": managed.FixedIfGiven(
		"The id of the cluster in which Kafka clients may use it; left out: it is for the REST API alone.", managed.IsID("clu"),
	),
	"name":       managed.Chosen("The name.", stringvalidator.LengthAtMost(100)),
	"expires_at": managed.ExpiresAt(),
	"created_at": managed.Told("When it was made."),
	"secret_wo": managed.Secret(
		"The random part of the key: 256 random bits in 52 characters of base32, as the ephemeral resource `firn_api_key_secret` makes "+
			"them. The whole key is `provider::firn::api_key(firn_api_key.NAME.id, SECRET)`.",
		stringvalidator.RegexMatches(random, "it must have 52 characters from a to z and from 2 to 7"),
	),
	"secret_wo_version": managed.SecretVersion("secret_wo"),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:  "api_key",
	Title: "API key",
	Description: "An API key of a service account. Its secret is made where it is needed and given to the service, so that it is in no state: " +
		"the service keeps a digest of it.",
	Attributes: schemaAttributes,
	Identity:   []string{"id"},
	Create:     create,
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		key, err := client.Read[api.ApiKey](c.API.GetApiKey(ctx, state.ID.ValueString()))
		if client.IsGone(err) {
			return false, nil
		}
		if err == nil {
			state.fill(key)
		}
		return true, err
	},
	Delete: func(ctx context.Context, c *client.Client, state *model) error {
		answer, err := c.API.RevokeApiKey(ctx, state.ID.ValueString(), nil)
		return c.Done(ctx, answer, err)
	},
	Listing: &managed.Listing[model]{
		Parent: "project",
		All: managed.Models(
			func(ctx context.Context, c *client.Client, project types.String) ([]api.ApiKey, error) {
				return client.All[api.ApiKey](func(cursor *string) (*http.Response, error) {
					return c.API.ListApiKeys(ctx, &api.ListApiKeysParams{Project: managed.TextIfAny(project), Cursor: cursor})
				})
			},
			func(one *model, key api.ApiKey, _ types.String) { one.fill(key) },
		),
		Show: func(one *model) string { return cmp.Or(one.Name.ValueString(), one.ID.ValueString()) },
	},
}

func create(ctx context.Context, c *client.Client, plan, config *model) error {
	expires, err := managed.ParseMoment(plan.ExpiresAt)
	if err != nil {
		return err
	}
	answer, err := c.API.CreateApiKey(ctx, nil, api.NewApiKey{
		ServiceAccount: plan.ServiceAccount.ValueString(),
		Cluster:        managed.TextIfAny(plan.Cluster),
		Name:           managed.TextIfAny(plan.Name),
		ExpiresAt:      expires,
		Random:         config.Secret.ValueStringPointer(),
	})
	// The answer has the secret too; it is not read.
	key, err := client.Settle[api.ApiKey](ctx, c, answer, err)
	if key.Id != "" {
		plan.fill(key)
	}
	return err
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "api_key",
	Title:       "API key",
	Description: "An API key, without its secret.",
	Attributes:  schemaAttributes,
	Without:     []string{"secret_wo_version"},
	By:          []string{"id"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		key, err := client.Read[api.ApiKey](c.API.GetApiKey(ctx, found.ID.ValueString()))
		if err == nil {
			found.fill(key)
		}
		return err
	},
}
