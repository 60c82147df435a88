// Package cluster is firn_cluster: a virtual Kafka cluster.
package cluster

import (
	"context"
	"net/http"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID                 types.String `tfsdk:"id"`
	Organization       types.String `tfsdk:"organization"`
	Project            types.String `tfsdk:"project"`
	Name               types.String `tfsdk:"name"`
	Slug               types.String `tfsdk:"slug"`
	DeletionProtection types.Bool   `tfsdk:"deletion_protection"`
	Limits             types.Object `tfsdk:"limits"`
	Bootstrap          types.String `tfsdk:"bootstrap"`
	KafkaClusterID     types.String `tfsdk:"kafka_cluster_id"`
	State              types.String `tfsdk:"state"`
	CreatedAt          types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
}

func (m *attributes) fill(cluster api.Cluster) {
	m.ID = types.StringValue(cluster.Id)
	m.Organization = types.StringValue(cluster.Organization)
	m.Project = types.StringValue(cluster.Project)
	m.Name = types.StringValue(cluster.Name)
	m.Slug = types.StringValue(cluster.Slug)
	m.DeletionProtection = types.BoolValue(cluster.DeletionProtection)
	m.Limits = limitsOf(cluster.Limits)
	m.Bootstrap = types.StringValue(cluster.Bootstrap)
	m.KafkaClusterID = types.StringPointerValue(cluster.KafkaClusterId)
	m.State = types.StringValue(string(cluster.State))
	m.CreatedAt = managed.Moment(cluster.CreatedAt)
}

var label = regexp.MustCompile("^[a-z]([a-z0-9-]*[a-z0-9])?$")

var schemaAttributes = map[string]schema.Attribute{
	"id":           managed.Told("The id, `clu_…`."),
	"organization": managed.Told("The id of the organization that it belongs to."),
	"project":      managed.Fixed("The id of the project that it is in.", managed.IsID("prj")),
	"name":         managed.Name("What people call it. Others may be called the same; `slug` is what tells them apart."),
	"slug": managed.Chosen(
		"Its DNS label, unique in its cell; left out: made out of the name.",
		stringvalidator.LengthBetween(1, 63),
		stringvalidator.RegexMatches(label, "it must be a DNS label"),
	),
	"deletion_protection": schema.BoolAttribute{
		Optional: true,
		Computed: true,
		Default:  booldefault.StaticBool(true),
		MarkdownDescription: "Whether it may not be deleted, by anybody: the service keeps this. `true` if it is left out; to delete the " +
			"cluster, set it to `false` and apply that first. A deleted cluster can be brought back for a week.",
	},
	"limits":           limits,
	"bootstrap":        managed.Told("What Kafka clients connect to first: `bootstrap.servers`."),
	"kafka_cluster_id": managed.Told("The cluster id that Kafka clients see."),
	"state": schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: "`creating`, `active` or `suspended`.",
	},
	"created_at": managed.Told("When it was made."),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:        "cluster",
	Title:       "cluster",
	Description: "A virtual Kafka cluster.",
	Attributes:  schemaAttributes,
	Identity:    []string{"id"},
	Create:      create,
	Read: func(ctx context.Context, c *client.Client, state *model) (bool, error) {
		cluster, err := client.Read[api.Cluster](c.API.GetCluster(ctx, state.ID.ValueString()))
		if client.IsGone(err) || cluster.State == api.ClusterStateDeleting {
			return false, nil
		}
		if err == nil {
			state.fill(cluster)
		}
		return true, err
	},
	Update:    update,
	Delete:    remove,
	Protected: func(state *model) bool { return state.DeletionProtection.ValueBool() },
	Fixed:     []string{"project", "slug"},
	Listing: &managed.Listing[model]{
		Parent: "project",
		All:    managed.Models(all, func(one *model, cluster api.Cluster, _ types.String) { one.fill(cluster) }),
		Show:   func(one *model) string { return one.Name.ValueString() },
	},
}

func create(ctx context.Context, c *client.Client, plan, config *model) error {
	wanted, err := wantedLimits(ctx, config.Limits)
	if err != nil {
		return err
	}
	body := api.NewCluster{
		Project:            plan.Project.ValueString(),
		Name:               plan.Name.ValueString(),
		Slug:               managed.TextIfAny(plan.Slug),
		DeletionProtection: plan.DeletionProtection.ValueBoolPointer(),
		Limits:             wanted,
	}
	answer, err := c.API.CreateCluster(ctx, nil, body)
	cluster, err := client.Settle[api.Cluster](ctx, c, answer, err)
	if cluster.Id == "" {
		return err
	}
	plan.fill(cluster)
	if err != nil || cluster.State != api.ClusterStateCreating {
		return err
	}
	// What was not known while it was being created.
	cluster, err = client.Read[api.Cluster](c.API.GetCluster(ctx, cluster.Id))
	if err != nil {
		return &client.NotInForceError{Cause: err}
	}
	plan.fill(cluster)
	return nil
}

func update(ctx context.Context, c *client.Client, plan, state *model) error {
	var body api.ClusterChange
	if !plan.Name.Equal(state.Name) {
		body.Name = plan.Name.ValueStringPointer()
	}
	if !plan.DeletionProtection.Equal(state.DeletionProtection) {
		body.DeletionProtection = plan.DeletionProtection.ValueBoolPointer()
	}
	if !plan.Limits.IsUnknown() && !plan.Limits.Equal(state.Limits) {
		wanted, err := wantedLimits(ctx, plan.Limits)
		if err != nil {
			return err
		}
		body.Limits = wanted
	}
	id := state.ID.ValueString()
	current, version, err := client.ReadVersion[api.Cluster](c.API.GetCluster(ctx, id))
	if err != nil {
		return err
	}
	if body == (api.ClusterChange{}) {
		plan.fill(current)
		return nil
	}
	answer, err := c.API.UpdateCluster(ctx, id, &api.UpdateClusterParams{IfMatch: &version}, body)
	cluster, err := client.Settle[api.Cluster](ctx, c, answer, err)
	if err == nil {
		plan.fill(cluster)
	}
	return err
}

func remove(ctx context.Context, c *client.Client, state *model) error {
	id := state.ID.ValueString()
	cluster, version, err := client.ReadVersion[api.Cluster](c.API.GetCluster(ctx, id))
	if client.IsGone(err) || cluster.State == api.ClusterStateDeleting {
		return nil
	}
	if err != nil {
		return err
	}
	answer, err := c.API.DeleteCluster(ctx, id, &api.DeleteClusterParams{IfMatch: &version})
	return c.Done(ctx, answer, err)
}

func all(ctx context.Context, c *client.Client, project types.String) ([]api.Cluster, error) {
	clusters, err := client.All[api.Cluster](func(cursor *string) (*http.Response, error) {
		return c.API.ListClusters(ctx, &api.ListClustersParams{Project: managed.TextIfAny(project), Cursor: cursor})
	})
	var alive []api.Cluster
	for _, cluster := range clusters {
		if cluster.State != api.ClusterStateDeleting {
			alive = append(alive, cluster)
		}
	}
	return alive, err
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "cluster",
	Title:       "cluster",
	Description: "A cluster, by its `id`, or by `project` and `name`.",
	Attributes:  schemaAttributes,
	OrBy:        []string{"id", "project", "name"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		if managed.Given(found.ID) {
			cluster, err := client.Read[api.Cluster](c.API.GetCluster(ctx, found.ID.ValueString()))
			if err == nil {
				found.fill(cluster)
			}
			return err
		}
		clusters, err := all(ctx, c, found.Project)
		if err != nil {
			return err
		}
		cluster, err := managed.One("cluster", clusters, func(cluster api.Cluster) bool {
			return !managed.Given(found.Name) || cluster.Name == found.Name.ValueString()
		})
		if err == nil {
			found.fill(cluster)
		}
		return err
	},
}
