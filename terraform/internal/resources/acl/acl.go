// Package acl is firn_acl: what a principal may do, or may not, to which resources of a cluster.
package acl

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID           types.String `tfsdk:"id"`
	Cluster      types.String `tfsdk:"cluster"`
	Principal    types.String `tfsdk:"principal"`
	ResourceType types.String `tfsdk:"resource_type"`
	ResourceName types.String `tfsdk:"resource_name"`
	PatternType  types.String `tfsdk:"pattern_type"`
	Host         types.String `tfsdk:"host"`
	Operation    types.String `tfsdk:"operation"`
	Permission   types.String `tfsdk:"permission"`
}

type model struct {
	attributes
	managed.Timeouts
}

func (m *attributes) fill(acl api.Acl) {
	m.ID = types.StringValue(acl.Id)
	m.Cluster = types.StringValue(acl.Cluster)
	m.Principal = types.StringValue(acl.Principal)
	m.ResourceType = types.StringValue(acl.ResourceType)
	m.ResourceName = types.StringValue(acl.ResourceName)
	m.PatternType = types.StringValue(acl.PatternType)
	m.Host = types.StringValue(acl.Host)
	m.Operation = types.StringValue(acl.Operation)
	m.Permission = types.StringValue(acl.Permission)
}

var (
	principal = regexp.MustCompile("^User:.+$")
	operation = regexp.MustCompile("^[a-z_]+$")
)

// usual is Fixed with a value that holds if it is left out.
func usual(value, description string, allowed ...string) schema.StringAttribute {
	attribute := managed.FixedIfGiven(description + " `" + value + "` if it is left out.")
	attribute.Computed = true
	attribute.Default = stringdefault.StaticString(value)
	if len(allowed) > 0 {
		attribute.Validators = append(attribute.Validators, stringvalidator.OneOf(allowed...))
	}
	return attribute
}

var schemaAttributes = map[string]schema.Attribute{
	"id":      managed.Told("The id, made of all that it says."),
	"cluster": managed.Cluster(),
	"principal": managed.Fixed(
		"For whom: `User:` and the id of a service account or the name of another user, or `User:*`.",
		stringvalidator.RegexMatches(principal, "it must be User: and a name"),
	),
	"resource_type": managed.Fixed(
		"The kind of resource: `topic`, `group`, `cluster`, `transactional_id` or `user`.",
		stringvalidator.OneOf("topic", "group", "cluster", "transactional_id", "user"),
	),
	"resource_name": managed.Fixed(
		"The resource's name, or how it begins; the literal `*` is every resource of the kind. A cluster is named `kafka-cluster`.",
		stringvalidator.LengthBetween(1, 1024),
	),
	"pattern_type": usual("literal", "How the name stands for resources: `literal` or `prefixed`.", "literal", "prefixed"),
	"host":         usual("*", "From where: an IP address, or `*` for everywhere."),
	"operation": managed.Fixed(
		"What: `all`, or what Kafka's ACLs know for the kind of resource, such as `read`, `write`, `describe`, `alter_configs`.",
		stringvalidator.RegexMatches(operation, "operations are written in small letters, such as alter_configs"),
	),
	"permission": usual("allow", "Whether it is allowed or denied: `allow` or `deny`.", "allow", "deny"),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:  "acl",
	Title: "ACL",
	Description: "An ACL of a cluster: the same that Kafka's tools see. All of a cluster's ACLs that are made or destroyed at the same moment " +
		"are one request. An ACL is told from others by what it says alone, so declare each once.",
	Attributes: schemaAttributes,
	Identity:   []string{"cluster", "id"},
	Create: func(ctx context.Context, c *client.Client, plan, _ *model) error {
		acl, err := c.CreateACL(ctx, plan.Cluster.ValueString(), api.NewAcl{
			Principal:    plan.Principal.ValueString(),
			ResourceType: plan.ResourceType.ValueString(),
			ResourceName: plan.ResourceName.ValueString(),
			PatternType:  plan.PatternType.ValueStringPointer(),
			Host:         plan.Host.ValueStringPointer(),
			Operation:    plan.Operation.ValueString(),
			Permission:   plan.Permission.ValueString(),
		})
		if acl != nil {
			plan.ID = types.StringValue(acl.Id)
		}
		return err
	},
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		acl, found, err := c.ACLs.Get(ctx, state.Cluster.ValueString(), state.ID.ValueString())
		if found && err == nil {
			state.fill(acl)
		}
		return found, err
	},
	Delete: func(ctx context.Context, c *client.Client, state *model) error {
		return c.DeleteACL(ctx, state.Cluster.ValueString(), state.ID.ValueString())
	},
	Listing: &managed.Listing[model]{
		Parent: "cluster",
		All: managed.Models(
			func(ctx context.Context, c *client.Client, cluster types.String) ([]api.Acl, error) {
				return c.ACLs.List(ctx, cluster.ValueString())
			},
			func(one *model, acl api.Acl, _ types.String) { one.fill(acl) },
		),
		Show: func(one *model) string {
			return one.Permission.ValueString() + " " + one.Principal.ValueString() + " " + one.Operation.ValueString() + " " +
				one.ResourceType.ValueString() + " " + one.ResourceName.ValueString()
		},
	},
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "acl",
	Title:       "ACL",
	Description: "An ACL, by its id.",
	Attributes:  schemaAttributes,
	By:          []string{"cluster", "id"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		acl, there, err := c.ACLs.Get(ctx, found.Cluster.ValueString(), found.ID.ValueString())
		if err == nil && !there {
			err = managed.Absent("ACL")
		}
		if err == nil {
			found.fill(acl)
		}
		return err
	},
}
