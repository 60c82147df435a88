// Package capool is firn_ca_pool: authorities whose client certificates a cluster trusts.
package capool

import (
	"context"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID              types.String `tfsdk:"id"`
	Cluster         types.String `tfsdk:"cluster"`
	Name            types.String `tfsdk:"name"`
	Certificates    types.List   `tfsdk:"certificates"`
	RevocationLists types.List   `tfsdk:"revocation_lists"`
	Mapping         types.Object `tfsdk:"mapping"`
	CreatedAt       types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
}

var mappingTypes = map[string]attr.Type{"source": types.StringType, "rules": types.StringType}

func (m *attributes) fill(pool api.CaPool) {
	m.ID = types.StringValue(pool.Id)
	m.Cluster = types.StringValue(pool.Cluster)
	m.Name = types.StringValue(pool.Name)
	var certificates, lists []string
	for _, certificate := range pool.Certificates {
		certificates = append(certificates, certificate.Pem)
	}
	for _, revoked := range pool.RevocationLists {
		lists = append(lists, revoked.Pem)
	}
	m.Certificates = samePEM(m.Certificates, certificates)
	m.RevocationLists = samePEM(m.RevocationLists, lists)
	m.Mapping = types.ObjectValueMust(mappingTypes, map[string]attr.Value{
		"source": types.StringValue(pool.Mapping.Source),
		"rules":  types.StringValue(pool.Mapping.Rules),
	})
	m.CreatedAt = managed.Moment(pool.CreatedAt)
}

var schemaAttributes = map[string]schema.Attribute{
	"id":      managed.Told("The id, `cap_…`."),
	"cluster": managed.Cluster(),
	"name":    managed.Name("The name, unique in the cluster."),
	"certificates": schema.ListAttribute{
		Required:    true,
		ElementType: types.StringType,
		MarkdownDescription: "The authorities' certificates in PEM, one each. An authority is in one pool of a cluster only. Old and new ones " +
			"stand side by side while clients change over.",
		Validators: []validator.List{listvalidator.SizeBetween(1, 10)},
	},
	"revocation_lists": schema.ListAttribute{
		Optional:            true,
		ElementType:         types.StringType,
		MarkdownDescription: "Revocation lists in PEM, one each, signed by these authorities.",
		Validators:          []validator.List{listvalidator.SizeBetween(1, 10)},
	},
	"mapping": schema.SingleNestedAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: "How a client's certificate becomes the name after `User:`; left out: the whole subject is the name.",
		PlanModifiers:       []planmodifier.Object{objectplanmodifier.UseStateForUnknown()},
		Attributes: map[string]schema.Attribute{
			"source": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "What of the certificate the rules are applied to: `subject`, or the first alternative name of a kind: " +
					"`san_dns`, `san_email`, `san_uri`.",
				Validators: []validator.String{stringvalidator.OneOf("subject", "san_dns", "san_email", "san_uri")},
			},
			"rules": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Rules in the syntax of Kafka's `ssl.principal.mapping.rules`; `DEFAULT` takes the source as it is.",
			},
		},
	},
	"created_at": managed.Told("When it was made."),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:        "ca_pool",
	Title:       "CA pool",
	Description: "Certificate authorities whose clients a cluster lets in over mTLS, and how their certificates become principals.",
	Attributes:  schemaAttributes,
	Identity:    []string{"cluster", "id"},
	Create: func(ctx context.Context, c *client.Client, plan, _ *model) error {
		lists := pems(plan.RevocationLists)
		answer, err := c.API.CreateCaPool(ctx, plan.Cluster.ValueString(), nil, api.NewCaPool{
			Name:            plan.Name.ValueString(),
			Certificates:    pems(plan.Certificates),
			RevocationLists: &lists,
			Mapping:         mappingOf(plan.Mapping),
		})
		pool, err := client.Settle[api.CaPool](ctx, c, answer, err)
		if pool.Id != "" {
			plan.fill(pool)
		}
		return err
	},
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		pool, err := client.Read[api.CaPool](c.API.GetCaPool(ctx, state.Cluster.ValueString(), state.ID.ValueString()))
		if client.IsGone(err) {
			return false, nil
		}
		if err == nil {
			state.fill(pool)
		}
		return true, err
	},
	Update: update,
	Delete: func(ctx context.Context, c *client.Client, state *model) error {
		answer, err := c.API.DeleteCaPool(ctx, state.Cluster.ValueString(), state.ID.ValueString(), nil)
		return c.Done(ctx, answer, err)
	},
	Listing: &managed.Listing[model]{
		Parent: "cluster",
		All:    managed.Models(all, func(one *model, pool api.CaPool, _ types.String) { one.fill(pool) }),
		Show:   func(one *model) string { return one.Name.ValueString() },
	},
}

func update(ctx context.Context, c *client.Client, plan, state *model) error {
	cluster, id := state.Cluster.ValueString(), state.ID.ValueString()
	_, version, err := client.ReadVersion[api.CaPool](c.API.GetCaPool(ctx, cluster, id))
	if err != nil {
		return err
	}
	certificates, lists := pems(plan.Certificates), pems(plan.RevocationLists)
	answer, err := c.API.UpdateCaPool(ctx, cluster, id, &api.UpdateCaPoolParams{IfMatch: &version}, api.CaPoolChange{
		Name:            plan.Name.ValueStringPointer(),
		Certificates:    &certificates,
		RevocationLists: &lists,
		Mapping:         mappingOf(plan.Mapping),
	})
	pool, err := client.Settle[api.CaPool](ctx, c, answer, err)
	if err == nil {
		plan.fill(pool)
	}
	return err
}

func mappingOf(object types.Object) *api.PrincipalMapping {
	if object.IsNull() || object.IsUnknown() {
		return nil
	}
	text := func(name string) string {
		text, _ := object.Attributes()[name].(types.String)
		return text.ValueString()
	}
	return &api.PrincipalMapping{Source: text("source"), Rules: text("rules")}
}

func all(ctx context.Context, c *client.Client, cluster types.String) ([]api.CaPool, error) {
	return client.All[api.CaPool](func(cursor *string) (*http.Response, error) {
		return c.API.ListCaPools(ctx, cluster.ValueString(), &api.ListCaPoolsParams{Cursor: cursor})
	})
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "ca_pool",
	Title:       "CA pool",
	Description: "A CA pool of a cluster, by its `id` or `name`.",
	Attributes:  schemaAttributes,
	By:          []string{"cluster"},
	OrBy:        []string{"id", "name"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		pools, err := all(ctx, c, found.Cluster)
		if err != nil {
			return err
		}
		pool, err := managed.One("CA pool", pools, func(pool api.CaPool) bool {
			return (!managed.Given(found.ID) || pool.Id == found.ID.ValueString()) &&
				(!managed.Given(found.Name) || pool.Name == found.Name.ValueString())
		})
		if err == nil {
			found.fill(pool)
		}
		return err
	},
}
