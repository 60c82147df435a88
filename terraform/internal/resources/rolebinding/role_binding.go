// Package rolebinding is firn_role_binding: a role that somebody has somewhere.
package rolebinding

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID           types.String `tfsdk:"id"`
	Organization types.String `tfsdk:"organization"`
	Principal    types.String `tfsdk:"principal"`
	Role         types.String `tfsdk:"role"`
	Scope        types.String `tfsdk:"scope"`
	CreatedAt    types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
}

func (m *attributes) fill(binding api.RoleBinding) {
	m.ID = types.StringValue(binding.Id)
	m.Principal = types.StringValue(binding.Principal)
	m.Role = types.StringValue(string(binding.Role))
	m.Scope = types.StringValue(binding.Scope)
	m.CreatedAt = managed.Moment(binding.CreatedAt)
}

var schemaAttributes = map[string]schema.Attribute{
	"id":           managed.Told("The id, `rol_…`."),
	"organization": managed.Organization(),
	"principal":    managed.Fixed("Who has it: the id of a service account, or of a member.", managed.IsID("sa|per")),
	"role": schema.StringAttribute{
		Required:            true,
		MarkdownDescription: "Which role: `owner`, `admin`, `operator`, `developer`, `viewer` or `billing`.",
		Validators:          []validator.String{stringvalidator.OneOf("owner", "admin", "operator", "developer", "viewer", "billing")},
	},
	"scope": managed.Fixed("Where: the id of the organization, of a project or of a cluster; the role holds for everything inside.",
		managed.IsID("org|prj|clu")),
	"created_at": managed.Told("Since when."),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:        "role_binding",
	Title:       "role binding",
	Description: "A role that a service account or a member has in the organization, in a project or in a cluster.",
	Attributes:  schemaAttributes,
	Identity:    []string{"organization", "id"},
	Create:      create,
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		binding, found, err := c.RoleBindings.Get(ctx, state.Organization.ValueString(), state.ID.ValueString())
		if found && err == nil {
			state.fill(binding)
		}
		return found, err
	},
	Update: update,
	Delete: remove,
	Listing: &managed.Listing[model]{
		Parent: "organization",
		All: managed.Models(
			func(ctx context.Context, c *client.Client, organization types.String) ([]api.RoleBinding, error) {
				return c.RoleBindings.List(ctx, organization.ValueString())
			},
			func(one *model, binding api.RoleBinding, organization types.String) {
				one.fill(binding)
				one.Organization = organization
			},
		),
		Show: func(one *model) string {
			return one.Principal.ValueString() + " " + one.Role.ValueString() + " " + one.Scope.ValueString()
		},
	},
}

func create(ctx context.Context, c *client.Client, plan, _ *model) error {
	organization, err := c.Organization(ctx, plan.Organization.ValueString())
	if err != nil {
		return err
	}
	defer c.RoleBindings.Forget(organization)
	answer, err := c.API.CreateRoleBinding(ctx, organization, nil, api.NewBindingRequest{
		Principal: plan.Principal.ValueString(),
		Role:      api.RoleName(plan.Role.ValueString()),
		Scope:     plan.Scope.ValueString(),
	})
	binding, err := client.Settle[api.RoleBinding](ctx, c, answer, err)
	if binding.Id != "" {
		plan.fill(binding)
		plan.Organization = types.StringValue(organization)
	}
	return err
}

func update(ctx context.Context, c *client.Client, plan, state *model) error {
	if plan.Role.Equal(state.Role) {
		return nil
	}
	organization, id := state.Organization.ValueString(), state.ID.ValueString()
	defer c.RoleBindings.Forget(organization)
	_, version, err := client.ReadVersion[api.RoleBinding](c.API.GetRoleBinding(ctx, organization, id))
	if err != nil {
		return err
	}
	body := api.BindingRequest{Role: api.RoleName(plan.Role.ValueString())}
	params := &api.UpdateRoleBindingParams{IfMatch: version}
	answer, err := c.API.UpdateRoleBinding(ctx, organization, id, params, body)
	binding, err := client.Settle[api.RoleBinding](ctx, c, answer, err)
	if err == nil {
		plan.fill(binding)
	}
	return err
}

func remove(ctx context.Context, c *client.Client, state *model) error {
	organization, id := state.Organization.ValueString(), state.ID.ValueString()
	defer c.RoleBindings.Forget(organization)
	_, version, err := client.ReadVersion[api.RoleBinding](c.API.GetRoleBinding(ctx, organization, id))
	if client.IsGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	answer, err := c.API.DeleteRoleBinding(ctx, organization, id, &api.DeleteRoleBindingParams{IfMatch: version})
	return c.Done(ctx, answer, err)
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "role_binding",
	Title:       "role binding",
	Description: "A role binding, by its id.",
	Attributes:  schemaAttributes,
	By:          []string{"organization", "id"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		binding, there, err := c.RoleBindings.Get(ctx, found.Organization.ValueString(), found.ID.ValueString())
		if err == nil && !there {
			err = managed.Absent("role binding")
		}
		if err == nil {
			found.fill(binding)
		}
		return err
	},
}
