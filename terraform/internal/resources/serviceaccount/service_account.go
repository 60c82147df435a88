// Package serviceaccount is firn_service_account: whom a program is.
package serviceaccount

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID          types.String `tfsdk:"id"`
	Project     types.String `tfsdk:"project"`
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
	Principal   types.String `tfsdk:"principal"`
	CreatedAt   types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
}

func (m *attributes) fill(account api.ServiceAccount) {
	m.ID = types.StringValue(account.Id)
	m.Project = types.StringValue(account.Project)
	m.Name = types.StringValue(account.Name)
	m.Description = types.StringValue(account.Description)
	m.Principal = types.StringValue("User:" + account.Id)
	m.CreatedAt = managed.Moment(account.CreatedAt)
}

var schemaAttributes = map[string]schema.Attribute{
	"id":      managed.Told("The id, `sa_…`."),
	"project": managed.Fixed("The id of the project that it is in.", managed.IsID("prj")),
	"name":    managed.Name("The name, unique in the project."),
	"description": schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(""),
		MarkdownDescription: "What it is for.",
		Validators:          []validator.String{stringvalidator.LengthAtMost(500)},
	},
	"principal":  managed.Told("What ACLs call it: `User:` and its id."),
	"created_at": managed.Told("When it was made."),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:  "service_account",
	Title: "service account",
	Description: "A service account: whom a program is. It can do nothing until a `firn_role_binding` or a `firn_acl` allows it, and " +
		"shows itself with a `firn_api_key` or a `firn_scram_credential`.",
	Attributes: schemaAttributes,
	Identity:   []string{"id"},
	Create: func(ctx context.Context, c *client.Client, plan, _ *model) error {
		answer, err := c.API.CreateServiceAccount(ctx, nil, api.NewAccount{
			Project:     plan.Project.ValueString(),
			Name:        plan.Name.ValueString(),
			Description: managed.TextIfAny(plan.Description),
		})
		account, err := client.Settle[api.ServiceAccount](ctx, c, answer, err)
		c.Accounts.Forget(plan.Project.ValueString())
		if account.Id != "" {
			plan.fill(account)
		}
		return err
	},
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		account, found, err := get(ctx, c, state.Project, state.ID.ValueString())
		if found && err == nil {
			state.fill(account)
		}
		return found, err
	},
	Update: func(ctx context.Context, c *client.Client, plan, state *model) error {
		id := state.ID.ValueString()
		_, version, err := client.ReadVersion[api.ServiceAccount](c.API.GetServiceAccount(ctx, id))
		if err != nil {
			return err
		}
		body := api.AccountChange{Name: plan.Name.ValueStringPointer(), Description: plan.Description.ValueStringPointer()}
		params := &api.UpdateServiceAccountParams{IfMatch: &version}
		answer, err := c.API.UpdateServiceAccount(ctx, id, params, body)
		account, err := client.Settle[api.ServiceAccount](ctx, c, answer, err)
		c.Accounts.Forget(state.Project.ValueString())
		if err == nil {
			plan.fill(account)
		}
		return err
	},
	Delete: func(ctx context.Context, c *client.Client, state *model) error {
		defer c.Accounts.Forget(state.Project.ValueString())
		answer, err := c.API.DeleteServiceAccount(ctx, state.ID.ValueString(), nil)
		return c.Done(ctx, answer, err)
	},
	Listing: &managed.Listing[model]{
		Parent: "project",
		All: managed.Models(
			func(ctx context.Context, c *client.Client, project types.String) ([]api.ServiceAccount, error) {
				return c.Accounts.List(ctx, project.ValueString())
			},
			func(one *model, account api.ServiceAccount, _ types.String) { one.fill(account) },
		),
		Show: func(one *model) string { return one.Name.ValueString() },
	},
}

// get asks for one account by itself while its project is not known, as after an import.
func get(ctx context.Context, c *client.Client, project types.String, id string) (api.ServiceAccount, bool, error) {
	if managed.Given(project) {
		return c.Accounts.Get(ctx, project.ValueString(), id)
	}
	account, err := client.Read[api.ServiceAccount](c.API.GetServiceAccount(ctx, id))
	if client.IsGone(err) {
		return account, false, nil
	}
	return account, err == nil, err
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "service_account",
	Title:       "service account",
	Description: "A service account, by its `id`, or by `project` and `name`.",
	Attributes:  schemaAttributes,
	OrBy:        []string{"id", "project", "name"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		if managed.Given(found.ID) {
			account, err := client.Read[api.ServiceAccount](c.API.GetServiceAccount(ctx, found.ID.ValueString()))
			if err == nil {
				found.fill(account)
			}
			return err
		}
		if !managed.Given(found.Project, found.Name) {
			return managed.Need("id", "project and name")
		}
		accounts, err := c.Accounts.List(ctx, found.Project.ValueString())
		if err != nil {
			return err
		}
		account, err := managed.One("service account", accounts, func(account api.ServiceAccount) bool {
			return account.Name == found.Name.ValueString()
		})
		if err == nil {
			found.fill(account)
		}
		return err
	},
}
