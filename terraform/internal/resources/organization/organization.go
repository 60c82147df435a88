// Package organization is the data source firn_organization: where everything else is.
package organization

import (
	"context"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID        types.String `tfsdk:"id"`
	Name      types.String `tfsdk:"name"`
	CreatedAt types.String `tfsdk:"created_at"`
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "organization",
	Title:       "organization",
	Description: "An organization that the API key's bearer is in: by its `id` or `name`, or the only one.",
	Attributes: map[string]schema.Attribute{
		"id":         managed.Told("The id, `org_…`."),
		"name":       managed.Told("What people call it."),
		"created_at": managed.Told("When it was made."),
	},
	OrBy: []string{"id", "name"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		all, err := client.All[api.Organization](func(cursor *string) (*http.Response, error) {
			return c.API.ListOrganizations(ctx, &api.ListOrganizationsParams{Cursor: cursor})
		})
		if err != nil {
			return err
		}
		one, err := managed.One("organization", all, func(one api.Organization) bool {
			return (!managed.Given(found.ID) || one.Id == found.ID.ValueString()) &&
				(!managed.Given(found.Name) || one.Name == found.Name.ValueString())
		})
		if err != nil {
			return err
		}
		found.ID = types.StringValue(one.Id)
		found.Name = types.StringValue(one.Name)
		found.CreatedAt = managed.Moment(one.CreatedAt)
		return nil
	},
}
