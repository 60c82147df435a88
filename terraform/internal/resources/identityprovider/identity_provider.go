// Package identityprovider is firn_identity_provider: an issuer whose tokens Kafka clients show.
package identityprovider

import (
	"context"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID               types.String `tfsdk:"id"`
	Cluster          types.String `tfsdk:"cluster"`
	Name             types.String `tfsdk:"name"`
	Issuer           types.String `tfsdk:"issuer"`
	JWKSURL          types.String `tfsdk:"jwks_url"`
	Audiences        types.Set    `tfsdk:"audiences"`
	PrincipalClaim   types.String `tfsdk:"principal_claim"`
	MappingRules     types.String `tfsdk:"mapping_rules"`
	ClockSkewSeconds types.Int64  `tfsdk:"clock_skew_seconds"`
	CreatedAt        types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
}

func (m *attributes) fill(provider api.IdentityProvider) {
	m.ID = types.StringValue(provider.Id)
	m.Cluster = types.StringValue(provider.Cluster)
	m.Name = types.StringValue(provider.Name)
	m.Issuer = types.StringValue(provider.Issuer)
	m.JWKSURL = types.StringPointerValue(provider.JwksUrl)
	audiences := make([]attr.Value, len(provider.Audiences))
	for place, audience := range provider.Audiences {
		audiences[place] = types.StringValue(audience)
	}
	m.Audiences = types.SetValueMust(types.StringType, audiences)
	m.PrincipalClaim = types.StringValue(provider.PrincipalClaim)
	m.MappingRules = types.StringValue(provider.MappingRules)
	m.ClockSkewSeconds = types.Int64Value(provider.ClockSkewSeconds)
	m.CreatedAt = managed.Moment(provider.CreatedAt)
}

var schemaAttributes = map[string]schema.Attribute{
	"id":      managed.Told("The id, `iss_…`."),
	"cluster": managed.Cluster(),
	"name":    managed.Name("The name that people see, unique in the cluster."),
	"issuer": schema.StringAttribute{
		Required:            true,
		MarkdownDescription: "The `iss` of its tokens, exactly: an https URL. Its keys are read once before it is added.",
		Validators:          []validator.String{stringvalidator.LengthBetween(1, 500)},
	},
	"jwks_url": schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: "Where its keys are (JWKS); left out: where its metadata says. To leave it out later makes another resource.",
		Validators:          []validator.String{stringvalidator.LengthBetween(1, 500)},
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplaceIf(
			func(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
				resp.RequiresReplace = req.ConfigValue.IsNull() && !req.StateValue.IsNull()
			}, "A provider that had a URL of its keys is made anew without.", "A provider that had a URL of its keys is made anew without.",
		)},
	},
	"audiences": schema.SetAttribute{
		Required:            true,
		ElementType:         types.StringType,
		MarkdownDescription: "Of these a token's `aud` must contain one.",
		Validators:          []validator.Set{setvalidator.SizeAtLeast(1)},
	},
	"principal_claim": schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString("sub"),
		MarkdownDescription: "The claim that names the client; `sub` if it is left out.",
		Validators:          []validator.String{stringvalidator.LengthBetween(1, 100)},
	},
	"mapping_rules": schema.StringAttribute{
		Optional: true,
		Computed: true,
		Default:  stringdefault.StaticString("DEFAULT"),
		MarkdownDescription: "How the claim becomes the name after `User:`, in the syntax of Kafka's `ssl.principal.mapping.rules`; left " +
			"out: as it is.",
		Validators: []validator.String{stringvalidator.LengthBetween(1, 4096)},
	},
	"clock_skew_seconds": schema.Int64Attribute{
		Optional:            true,
		Computed:            true,
		Default:             int64default.StaticInt64(30),
		MarkdownDescription: "By how much its clock may differ, in seconds; 30 if it is left out.",
		Validators:          []validator.Int64{int64validator.Between(0, 300)},
	},
	"created_at": managed.Told("When it was added."),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:        "identity_provider",
	Title:       "identity provider",
	Description: "An issuer whose tokens Kafka clients of a cluster show (SASL/OAUTHBEARER).",
	Attributes:  schemaAttributes,
	Identity:    []string{"cluster", "id"},
	Create: func(ctx context.Context, c *client.Client, plan, _ *model) error {
		answer, err := c.API.CreateIdentityProvider(ctx, plan.Cluster.ValueString(), nil, api.NewIdentityProvider{
			Name:             plan.Name.ValueString(),
			Issuer:           plan.Issuer.ValueString(),
			JwksUrl:          plan.JWKSURL.ValueStringPointer(),
			Audiences:        audiencesOf(plan.Audiences),
			PrincipalClaim:   plan.PrincipalClaim.ValueStringPointer(),
			MappingRules:     plan.MappingRules.ValueStringPointer(),
			ClockSkewSeconds: plan.ClockSkewSeconds.ValueInt64Pointer(),
		})
		provider, err := client.Settle[api.IdentityProvider](ctx, c, answer, err)
		if provider.Id != "" {
			plan.fill(provider)
		}
		return err
	},
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		cluster, id := state.Cluster.ValueString(), state.ID.ValueString()
		provider, err := client.Read[api.IdentityProvider](c.API.GetIdentityProvider(ctx, cluster, id))
		if client.IsGone(err) {
			return false, nil
		}
		if err == nil {
			state.fill(provider)
		}
		return true, err
	},
	Update: update,
	Delete: func(ctx context.Context, c *client.Client, state *model) error {
		answer, err := c.API.DeleteIdentityProvider(ctx, state.Cluster.ValueString(), state.ID.ValueString(), nil)
		return c.Done(ctx, answer, err)
	},
	Listing: &managed.Listing[model]{
		Parent: "cluster",
		All:    managed.Models(all, func(one *model, provider api.IdentityProvider, _ types.String) { one.fill(provider) }),
		Show:   func(one *model) string { return one.Name.ValueString() },
	},
}

func update(ctx context.Context, c *client.Client, plan, state *model) error {
	cluster, id := state.Cluster.ValueString(), state.ID.ValueString()
	_, version, err := client.ReadVersion[api.IdentityProvider](c.API.GetIdentityProvider(ctx, cluster, id))
	if err != nil {
		return err
	}
	audiences := audiencesOf(plan.Audiences)
	params := &api.UpdateIdentityProviderParams{IfMatch: version}
	answer, err := c.API.UpdateIdentityProvider(ctx, cluster, id, params, api.IdentityProviderChange{
		Name:             plan.Name.ValueStringPointer(),
		Issuer:           plan.Issuer.ValueStringPointer(),
		JwksUrl:          plan.JWKSURL.ValueStringPointer(),
		Audiences:        &audiences,
		PrincipalClaim:   plan.PrincipalClaim.ValueStringPointer(),
		MappingRules:     plan.MappingRules.ValueStringPointer(),
		ClockSkewSeconds: plan.ClockSkewSeconds.ValueInt64Pointer(),
	})
	provider, err := client.Settle[api.IdentityProvider](ctx, c, answer, err)
	if err == nil {
		plan.fill(provider)
	}
	return err
}

func audiencesOf(set types.Set) []string {
	audiences := []string{}
	for _, element := range set.Elements() {
		if text, ok := element.(types.String); ok {
			audiences = append(audiences, text.ValueString())
		}
	}
	return audiences
}

func all(ctx context.Context, c *client.Client, cluster types.String) ([]api.IdentityProvider, error) {
	return client.All[api.IdentityProvider](func(cursor *string) (*http.Response, error) {
		return c.API.ListIdentityProviders(ctx, cluster.ValueString(), &api.ListIdentityProvidersParams{Cursor: cursor})
	})
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "identity_provider",
	Title:       "identity provider",
	Description: "An identity provider of a cluster, by its `id` or `name`.",
	Attributes:  schemaAttributes,
	By:          []string{"cluster"},
	OrBy:        []string{"id", "name"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		providers, err := all(ctx, c, found.Cluster)
		if err != nil {
			return err
		}
		provider, err := managed.One("identity provider", providers, func(provider api.IdentityProvider) bool {
			return (!managed.Given(found.ID) || provider.Id == found.ID.ValueString()) &&
				(!managed.Given(found.Name) || provider.Name == found.Name.ValueString())
		})
		if err == nil {
			found.fill(provider)
		}
		return err
	},
}
