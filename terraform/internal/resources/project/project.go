// Package project is firn_project: what clusters and service accounts are in.
package project

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID           types.String `tfsdk:"id"`
	Organization types.String `tfsdk:"organization"`
	Name         types.String `tfsdk:"name"`
	CreatedAt    types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
}

func (m *attributes) fill(project api.Project) {
	m.ID = types.StringValue(project.Id)
	m.Organization = types.StringValue(project.Organization)
	m.Name = types.StringValue(project.Name)
	m.CreatedAt = managed.Moment(project.CreatedAt)
}

var schemaAttributes = map[string]schema.Attribute{
	"id":           managed.Told("The id, `prj_…`."),
	"organization": managed.Organization(),
	"name":         managed.Name("The name, unique in the organization."),
	"created_at":   managed.Told("When it was made."),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:  "project",
	Title: "project",
	Description: "A project of an organization: the clusters and service accounts that belong together, and a scope for roles. A project whose clusters have " +
		"just been destroyed stays for the week in which they can be brought back: to destroy it then takes it out of the state, with a warning.",
	Attributes: schemaAttributes,
	Identity:   []string{"id"},
	Create:     create,
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		project, err := client.Read[api.Project](c.API.GetProject(ctx, state.ID.ValueString()))
		if client.IsGone(err) {
			return false, nil
		}
		if err == nil {
			state.fill(project)
		}
		return true, err
	},
	Update: update,
	Delete: remove,
	Listing: &managed.Listing[model]{
		Parent:           "organization",
		ParentIsOptional: true,
		All:              managed.Models(all, func(one *model, project api.Project, _ types.String) { one.fill(project) }),
		Show:             func(one *model) string { return one.Name.ValueString() },
	},
}

func create(ctx context.Context, c *client.Client, plan, _ *model) error {
	organization, err := c.Organization(ctx, plan.Organization.ValueString())
	if err != nil {
		return err
	}
	body := api.NewProjectRequest{Organization: organization, Name: plan.Name.ValueString()}
	answer, err := c.API.CreateProject(ctx, nil, body)
	project, err := client.Settle[api.Project](ctx, c, answer, err)
	if project.Id != "" {
		plan.fill(project)
	}
	return err
}

func update(ctx context.Context, c *client.Client, plan, state *model) error {
	if plan.Name.Equal(state.Name) {
		return nil
	}
	id := state.ID.ValueString()
	_, version, err := client.ReadVersion[api.Project](c.API.GetProject(ctx, id))
	if err != nil {
		return err
	}
	body := api.ProjectRequest{Name: plan.Name.ValueString()}
	answer, err := c.API.UpdateProject(ctx, id, &api.UpdateProjectParams{IfMatch: version}, body)
	project, err := client.Settle[api.Project](ctx, c, answer, err)
	if err == nil {
		plan.fill(project)
	}
	return err
}

func remove(ctx context.Context, c *client.Client, state *model) error {
	id := state.ID.ValueString()
	_, version, err := client.ReadVersion[api.Project](c.API.GetProject(ctx, id))
	if client.IsGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	answer, err := c.API.DeleteProject(ctx, id, &api.DeleteProjectParams{IfMatch: version})
	err = c.Done(ctx, answer, err)
	if client.IsCode(err, "protected") {
		return kept(ctx, c, id, err)
	}
	return err
}

// kept is why the service keeps a project: if that is for deleted clusters alone, which can be brought back for a while, there is nothing more to do.
func kept(ctx context.Context, c *client.Client, id string, refused error) error {
	clusters, err := client.All[api.Cluster](func(cursor *string) (*http.Response, error) {
		return c.API.ListClusters(ctx, &api.ListClustersParams{Project: &id, Cursor: cursor})
	})
	if err != nil || len(clusters) == 0 {
		return refused
	}
	var until time.Time
	for _, cluster := range clusters {
		if cluster.State != api.ClusterStateDeleting || cluster.DeleteAt == nil {
			return refused
		}
		if cluster.DeleteAt.After(until) {
			until = *cluster.DeleteAt
		}
	}
	accounts, err := c.Accounts.List(ctx, id)
	if err != nil || len(accounts) > 0 {
		return refused
	}
	return &managed.RemainsError{Why: fmt.Sprintf("Clusters of the project %s are deleted, and can be brought back until %s. The service keeps the project as long. "+
		"It is no longer in the state: delete it after that, or import it again.", id, until.UTC().Format(time.RFC3339))}
}

func all(ctx context.Context, c *client.Client, organization types.String) ([]api.Project, error) {
	return client.All[api.Project](func(cursor *string) (*http.Response, error) {
		params := &api.ListProjectsParams{Organization: managed.TextIfAny(organization), Cursor: cursor}
		return c.API.ListProjects(ctx, params)
	})
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "project",
	Title:       "project",
	Description: "A project, by its `id`, or by its `name` (and `organization`, if the API key is in several).",
	Attributes:  schemaAttributes,
	OrBy:        []string{"id", "organization", "name"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		if managed.Given(found.ID) {
			project, err := client.Read[api.Project](c.API.GetProject(ctx, found.ID.ValueString()))
			if err == nil {
				found.fill(project)
			}
			return err
		}
		projects, err := all(ctx, c, found.Organization)
		if err != nil {
			return err
		}
		project, err := managed.One("project", projects, func(project api.Project) bool {
			return !managed.Given(found.Name) || project.Name == found.Name.ValueString()
		})
		if err == nil {
			found.fill(project)
		}
		return err
	},
}
