// Package scramcredential is firn_scram_credential: a user name and a password of a Kafka client.
package scramcredential

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID             types.String `tfsdk:"id"`
	Cluster        types.String `tfsdk:"cluster"`
	ServiceAccount types.String `tfsdk:"service_account"`
	Username       types.String `tfsdk:"username"`
	ExpiresAt      types.String `tfsdk:"expires_at"`
	Generated      types.Bool   `tfsdk:"generated"`
	Mechanisms     types.Set    `tfsdk:"mechanisms"`
	CreatedAt      types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
	Password        types.String `tfsdk:"password_wo"`
	PasswordVersion types.Int64  `tfsdk:"password_wo_version"`
}

func (m *attributes) fill(credential api.ScramCredential) {
	m.ID = types.StringValue(credential.Id)
	m.Cluster = types.StringValue(credential.Cluster)
	m.ServiceAccount = types.StringPointerValue(credential.ServiceAccount)
	m.Username = types.StringValue(credential.Username)
	m.ExpiresAt = managed.MomentIfAny(credential.ExpiresAt, m.ExpiresAt)
	m.Generated = types.BoolValue(credential.Generated)
	mechanisms := make([]attr.Value, len(credential.Mechanisms))
	for place, mechanism := range credential.Mechanisms {
		mechanisms[place] = types.StringValue(mechanism)
	}
	m.Mechanisms = types.SetValueMust(types.StringType, mechanisms)
	m.CreatedAt = managed.Moment(credential.CreatedAt)
}

var visible = regexp.MustCompile("^[!-~]*$")

var schemaAttributes = map[string]schema.Attribute{
	"id":              managed.Told("The id, `scr_…`."),
	"cluster":         managed.Cluster(),
	"service_account": managed.Fixed("The id of the service account whose credential it is.", managed.IsID("sa")),
	"username": managed.Chosen(
		"The user name that clients send. A name that the service account has already gets a second password; a chosen name works at the "+
			"cluster's own host name only. Left out: the service makes a name up, and another one for each version of the password.",
		stringvalidator.LengthBetween(1, 255),
	),
	"expires_at": managed.ExpiresAt(),
	"generated": schema.BoolAttribute{
		Computed:            true,
		MarkdownDescription: "Whether the service made the name up, so that it works without the cluster's own host name.",
		PlanModifiers:       []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()},
	},
	"mechanisms": schema.SetAttribute{
		Computed:            true,
		ElementType:         types.StringType,
		MarkdownDescription: "With which SASL mechanisms it works.",
		PlanModifiers:       []planmodifier.Set{setplanmodifier.UseStateForUnknown()},
	},
	"created_at": managed.Told("When it was made."),
	"password_wo": managed.Secret(
		"The password: random, of 16 to 200 visible ASCII characters, as the ephemeral resource `firn_password` makes them.",
		stringvalidator.LengthBetween(16, 200),
		stringvalidator.RegexMatches(visible, "it must have visible ASCII characters only"),
	),
	"password_wo_version": managed.SecretVersion("password_wo"),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:  "scram_credential",
	Title: "SCRAM credential",
	Description: "A user name and a password of a service account in a cluster, for SCRAM-SHA-256 and SCRAM-SHA-512. The password is in no " +
		"state: the service keeps what SCRAM checks it by.",
	Attributes: schemaAttributes,
	Identity:   []string{"cluster", "id"},
	Create:     create,
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		credential, found, err := c.Scrams.Get(ctx, state.Cluster.ValueString(), state.ID.ValueString())
		if found && err == nil {
			state.fill(credential)
		}
		return found, err
	},
	Delete: func(ctx context.Context, c *client.Client, state *model) error {
		cluster := state.Cluster.ValueString()
		defer c.Scrams.Forget(cluster)
		answer, err := c.API.RevokeScramCredential(ctx, cluster, state.ID.ValueString(), nil)
		return c.Done(ctx, answer, err)
	},
	Listing: &managed.Listing[model]{
		Parent: "cluster",
		All: managed.Models(
			func(ctx context.Context, c *client.Client, cluster types.String) ([]api.ScramCredential, error) {
				return c.Scrams.List(ctx, cluster.ValueString())
			},
			func(one *model, credential api.ScramCredential, _ types.String) { one.fill(credential) },
		),
		Show: func(one *model) string { return one.Username.ValueString() },
	},
}

func create(ctx context.Context, c *client.Client, plan, config *model) error {
	expires, err := managed.ParseMoment(plan.ExpiresAt)
	if err != nil {
		return err
	}
	cluster := plan.Cluster.ValueString()
	defer c.Scrams.Forget(cluster)
	answer, err := c.API.CreateScramCredential(ctx, cluster, nil, api.NewScramCredential{
		ServiceAccount: plan.ServiceAccount.ValueString(),
		Username:       managed.TextIfAny(plan.Username),
		ExpiresAt:      expires,
		Password:       config.Password.ValueStringPointer(),
	})
	// The answer has the password too; it is not read.
	credential, err := client.Settle[api.ScramCredential](ctx, c, answer, err)
	if credential.Id != "" {
		plan.fill(credential)
	}
	return err
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "scram_credential",
	Title:       "SCRAM credential",
	Description: "A SCRAM credential, without its password.",
	Attributes:  schemaAttributes,
	Without:     []string{"password_wo_version"},
	By:          []string{"cluster", "id"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		credential, there, err := c.Scrams.Get(ctx, found.Cluster.ValueString(), found.ID.ValueString())
		if err == nil && !there {
			err = managed.Absent("SCRAM credential")
		}
		if err == nil {
			found.fill(credential)
		}
		return err
	},
}
