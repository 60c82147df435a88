// Package quota is firn_quota: how much a user, a client id or an address may.
package quota

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/float64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

// everybody is how the default is written, as Kafka's tools do.
const everybody = "<default>"

type attributes struct {
	ID                     types.String  `tfsdk:"id"`
	Cluster                types.String  `tfsdk:"cluster"`
	User                   types.String  `tfsdk:"user"`
	ClientID               types.String  `tfsdk:"client_id"`
	IP                     types.String  `tfsdk:"ip"`
	ProducerByteRate       types.Float64 `tfsdk:"producer_byte_rate"`
	ConsumerByteRate       types.Float64 `tfsdk:"consumer_byte_rate"`
	RequestPercentage      types.Float64 `tfsdk:"request_percentage"`
	ControllerMutationRate types.Float64 `tfsdk:"controller_mutation_rate"`
	ConnectionCreationRate types.Float64 `tfsdk:"connection_creation_rate"`
}

type model struct {
	attributes
	managed.Timeouts
}

func (m *attributes) fill(quota api.Quota) {
	m.ID = types.StringValue(quota.Id)
	m.Cluster = types.StringValue(quota.Cluster)
	m.User = nameOf(quota.Entity.User)
	m.ClientID = nameOf(quota.Entity.ClientId)
	m.IP = nameOf(quota.Entity.Ip)
	m.ProducerByteRate = types.Float64PointerValue(quota.Quotas.ProducerByteRate)
	m.ConsumerByteRate = types.Float64PointerValue(quota.Quotas.ConsumerByteRate)
	m.RequestPercentage = types.Float64PointerValue(quota.Quotas.RequestPercentage)
	m.ControllerMutationRate = types.Float64PointerValue(quota.Quotas.ControllerMutationRate)
	m.ConnectionCreationRate = types.Float64PointerValue(quota.Quotas.ConnectionCreationRate)
}

func nameOf(name *api.QuotaName) types.String {
	switch {
	case name == nil:
		return types.StringNull()
	case name.Default != nil && *name.Default:
		return types.StringValue(everybody)
	default:
		return types.StringPointerValue(name.Name)
	}
}

func entityName(text types.String) *api.QuotaName {
	if !managed.Given(text) {
		return nil
	}
	if text.ValueString() == everybody {
		yes := true
		return &api.QuotaName{Default: &yes}
	}
	return &api.QuotaName{Name: text.ValueStringPointer()}
}

func rate(description string, validators ...validator.Float64) schema.Float64Attribute {
	return schema.Float64Attribute{
		Optional:            true,
		MarkdownDescription: description + " Left out: not limited by this entity.",
		Validators:          append(validators, float64validator.AtLeast(0)),
	}
}

func entity(description string, validators ...validator.String) schema.StringAttribute {
	validators = append(validators, stringvalidator.LengthBetween(1, 255))
	return managed.FixedIfGiven(description+" `"+everybody+"` is whoever has no quota of their own.", validators...)
}

var schemaAttributes = map[string]schema.Attribute{
	"id":      managed.Told("The id, `qta_…`, made of the entity."),
	"cluster": managed.Cluster(),
	"user": entity("The user: the id of a service account, or the name of another user.",
		stringvalidator.AtLeastOneOf(path.MatchRoot("client_id"), path.MatchRoot("ip"))),
	"client_id": entity("The client id."),
	"ip": entity("The IP address; neither with `user` nor with `client_id`.",
		stringvalidator.ConflictsWith(path.MatchRoot("user"), path.MatchRoot("client_id"))),
	"producer_byte_rate": rate("Bytes a second that are produced to one broker.", float64validator.AtLeastOneOf(
		path.MatchRoot("consumer_byte_rate"), path.MatchRoot("request_percentage"), path.MatchRoot("controller_mutation_rate"),
		path.MatchRoot("connection_creation_rate"))),
	"consumer_byte_rate":       rate("Bytes a second that are fetched from one broker."),
	"request_percentage":       rate("Percent of one processor's time on one broker."),
	"controller_mutation_rate": rate("Partitions created and deleted a second."),
	"connection_creation_rate": rate("Connections a second to one broker; of an address only."),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:        "quota",
	Title:       "quota",
	Description: "Kafka's client quotas of one entity: a user, a client id, both together, or an IP address. The resource owns all quotas of its entity.",
	Attributes:  schemaAttributes,
	Identity:    []string{"cluster", "id"},
	Create: func(ctx context.Context, c *client.Client, plan, _ *model) error {
		return set(ctx, c, plan, nil)
	},
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		quota, found, err := c.Quotas.Get(ctx, state.Cluster.ValueString(), state.ID.ValueString())
		if found && err == nil {
			state.fill(quota)
		}
		return found, err
	},
	Update: func(ctx context.Context, c *client.Client, plan, state *model) error {
		_, version, err := client.ReadVersion[api.Quota](c.API.GetQuota(ctx, state.Cluster.ValueString(), state.ID.ValueString()))
		if err != nil {
			return err
		}
		return set(ctx, c, plan, &version)
	},
	Delete: func(ctx context.Context, c *client.Client, state *model) error {
		cluster := state.Cluster.ValueString()
		defer c.Quotas.Forget(cluster)
		answer, err := c.API.DeleteQuota(ctx, cluster, state.ID.ValueString(), nil)
		return c.Done(ctx, answer, err)
	},
	Listing: &managed.Listing[model]{
		Parent: "cluster",
		All: managed.Models(
			func(ctx context.Context, c *client.Client, cluster types.String) ([]api.Quota, error) {
				return c.Quotas.List(ctx, cluster.ValueString())
			},
			func(one *model, quota api.Quota, _ types.String) { one.fill(quota) },
		),
		Show: show,
	},
}

func show(one *model) string {
	var parts []string
	add := func(kind string, name types.String) {
		if managed.Given(name) {
			parts = append(parts, kind+" "+name.ValueString())
		}
	}
	add("user", one.User)
	add("client_id", one.ClientID)
	add("ip", one.IP)
	return strings.Join(parts, ", ")
}

// set gives the entity all the quotas of the plan; those that it does not name go.
func set(ctx context.Context, c *client.Client, plan *model, version *string) error {
	cluster := plan.Cluster.ValueString()
	defer c.Quotas.Forget(cluster)
	answer, err := c.API.SetQuotas(ctx, cluster, &api.SetQuotasParams{IfMatch: version}, api.WantedQuota{
		Entity: api.QuotaEntity{User: entityName(plan.User), ClientId: entityName(plan.ClientID), Ip: entityName(plan.IP)},
		Quotas: api.QuotaValues{
			ProducerByteRate:       plan.ProducerByteRate.ValueFloat64Pointer(),
			ConsumerByteRate:       plan.ConsumerByteRate.ValueFloat64Pointer(),
			RequestPercentage:      plan.RequestPercentage.ValueFloat64Pointer(),
			ControllerMutationRate: plan.ControllerMutationRate.ValueFloat64Pointer(),
			ConnectionCreationRate: plan.ConnectionCreationRate.ValueFloat64Pointer(),
		},
	})
	quota, err := client.Settle[api.Quota](ctx, c, answer, err)
	if quota.Id != "" {
		plan.fill(quota)
	}
	return err
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "quota",
	Title:       "quota",
	Description: "The quotas of one entity, by its `id`, or by `user`, `client_id` and `ip` as in the resource.",
	Attributes:  schemaAttributes,
	By:          []string{"cluster"},
	OrBy:        []string{"id", "user", "client_id", "ip"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		cluster := found.Cluster.ValueString()
		all, err := c.Quotas.List(ctx, cluster)
		if err != nil {
			return err
		}
		quota, err := managed.One("quota", all, func(quota api.Quota) bool {
			if managed.Given(found.ID) {
				return quota.Id == found.ID.ValueString()
			}
			return nameOf(quota.Entity.User).Equal(found.User) && nameOf(quota.Entity.ClientId).Equal(found.ClientID) &&
				nameOf(quota.Entity.Ip).Equal(found.IP)
		})
		if err == nil {
			found.fill(quota)
		}
		return err
	},
}
