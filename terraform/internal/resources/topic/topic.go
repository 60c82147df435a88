// Package topic is firn_topic: a topic of a cluster, with the configs that are wanted of it.
package topic

import (
	"context"
	"fmt"
	"maps"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	Cluster    types.String `tfsdk:"cluster"`
	Name       types.String `tfsdk:"name"`
	Partitions types.Int64  `tfsdk:"partitions"`
	Configs    types.Map    `tfsdk:"configs"`
	TopicID    types.String `tfsdk:"topic_id"`
	CreatedAt  types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
	DeletionProtection types.Bool `tfsdk:"deletion_protection"`
}

// fill takes all but the configs, of which a resource and a data source show different ones.
func (m *attributes) fill(topic api.Topic) {
	m.Cluster = types.StringValue(topic.Cluster)
	m.Name = types.StringValue(topic.Name)
	m.Partitions = types.Int64Value(topic.Partitions)
	m.TopicID = types.StringValue(topic.TopicId)
	m.CreatedAt = managed.Moment(topic.CreatedAt)
}

var legal = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

var schemaAttributes = map[string]schema.Attribute{
	"cluster": managed.Cluster(),
	"name": managed.Fixed(
		"The name, unique in the cluster.",
		stringvalidator.LengthBetween(1, 249),
		stringvalidator.RegexMatches(legal, "a topic's name has letters, digits, `.`, `_` and `-`"),
	),
	"partitions": schema.Int64Attribute{
		Optional: true,
		Computed: true,
		MarkdownDescription: "How many partitions it has; they can only become more. Left out: as many as the cluster's " +
			"`num.partitions` says when it is made.",
		Validators:    []validator.Int64{int64validator.Between(1, 100_000)},
		PlanModifiers: []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
	},
	"configs": schema.MapAttribute{
		Optional:    true,
		ElementType: types.StringType,
		MarkdownDescription: "Configs of its own by Kafka's names. Only these are compared and changed: what others have set besides is " +
			"left alone, and shows no drift. One that is taken out here goes back to the default.",
	},
	"deletion_protection": schema.BoolAttribute{
		Optional: true,
		Computed: true,
		Default:  booldefault.StaticBool(true),
		MarkdownDescription: "Whether this provider refuses to delete it, and to replace it. `true` if it is left out; to delete the topic, " +
			"set it to `false` and apply that first. It is kept in the state and the service does not know of it: the console, Kafka's tools " +
			"and whoever deletes the cluster delete the topic all the same, and what is imported or listed is protected.",
	},
	"topic_id":   managed.Told("The id, as Kafka's tools show it."),
	"created_at": managed.Told("When it was made."),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:        "topic",
	Title:       "topic",
	Description: "A topic of a cluster. A plan over many topics asks for one listing of each cluster.",
	Attributes:  schemaAttributes,
	Identity:    []string{"cluster", "name"},
	Made:        "topic_id",
	Create:      create,
	Read:        read,
	Update:      update,
	Delete:      remove,
	Protected:   func(state *model) bool { return state.DeletionProtection.ValueBool() },
	Fixed:       []string{"cluster", "name"},
	Check:       check,
	Listing: &managed.Listing[model]{
		Parent: "cluster",
		All: managed.Models(
			func(ctx context.Context, c *client.Client, cluster types.String) ([]api.Topic, error) {
				return c.Topics.List(ctx, cluster.ValueString())
			},
			func(one *model, topic api.Topic, _ types.String) {
				one.fill(topic)
				one.Configs = texts(topic.Configs)
				one.DeletionProtection = types.BoolValue(true)
			},
		),
		Show: func(one *model) string { return one.Name.ValueString() },
	},
}

func check(_ context.Context, plan, state *model, diagnostics *diag.Diagnostics) {
	replaced := !plan.Cluster.Equal(state.Cluster) || !plan.Name.Equal(state.Name)
	if replaced || plan.Partitions.IsUnknown() || plan.Partitions.ValueInt64() >= state.Partitions.ValueInt64() {
		return
	}
	diagnostics.AddAttributeError(
		path.Root("partitions"),
		"Partitions can only become more",
		fmt.Sprintf("The topic %s has %d. With fewer, records would be lost: make another topic.",
			state.Name.ValueString(), state.Partitions.ValueInt64()),
	)
}

func read(ctx context.Context, c *client.Client, state *model) (bool, error) {
	topic, found, err := c.Topics.Get(ctx, state.Cluster.ValueString(), state.Name.ValueString())
	if err != nil || !found {
		return found, err
	}
	// If somebody has made another one under the same name, it is this one from now on, and the plan says what differs.
	if imported := state.TopicID.IsNull(); imported {
		state.DeletionProtection = types.BoolValue(true)
		state.Configs = texts(topic.Configs)
	} else {
		state.Configs = only(state.Configs, topic.Configs)
	}
	state.fill(topic)
	return true, nil
}

func create(ctx context.Context, c *client.Client, plan, _ *model) error {
	configs := map[string]string{}
	for key, value := range configured(plan.Configs) {
		configs[key] = value
	}
	body := api.NewTopic{Name: plan.Name.ValueString(), Configs: &configs}
	if wanted := managed.NumberIfAny(plan.Partitions); wanted != nil {
		partitions := int32(*wanted)
		body.Partitions = &partitions
	}
	cluster := plan.Cluster.ValueString()
	answer, err := c.API.CreateTopic(ctx, cluster, nil, body)
	topic, err := client.Settle[api.Topic](ctx, c, answer, err)
	c.Topics.Forget(cluster)
	if topic.TopicId != "" {
		plan.fill(topic)
	}
	return err
}

func update(ctx context.Context, c *client.Client, plan, state *model) error {
	body := api.TopicChange{}
	if !plan.Partitions.IsUnknown() && plan.Partitions.ValueInt64() > state.Partitions.ValueInt64() {
		partitions := int32(plan.Partitions.ValueInt64())
		body.Partitions = &partitions
	}
	if changed := changes(configured(state.Configs), configured(plan.Configs)); len(changed) > 0 {
		body.Configs = &changed
	}
	cluster, name := state.Cluster.ValueString(), state.Name.ValueString()
	if body.Partitions == nil && body.Configs == nil {
		return nil
	}
	defer c.Topics.Forget(cluster)
	_, version, err := client.ReadVersion[api.Topic](c.API.GetTopic(ctx, cluster, name))
	if err != nil {
		return err
	}
	answer, err := c.API.UpdateTopic(ctx, cluster, name, &api.UpdateTopicParams{IfMatch: &version}, body)
	topic, err := client.Settle[api.Topic](ctx, c, answer, err)
	if err == nil {
		plan.fill(topic)
	}
	return err
}

func remove(ctx context.Context, c *client.Client, state *model) error {
	cluster, name := state.Cluster.ValueString(), state.Name.ValueString()
	defer c.Topics.Forget(cluster)
	topic, version, err := client.ReadVersion[api.Topic](c.API.GetTopic(ctx, cluster, name))
	if client.IsGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if topic.TopicId != state.TopicID.ValueString() {
		return fmt.Errorf("another topic %s was made since (%s): plan again", name, topic.TopicId)
	}
	answer, err := c.API.DeleteTopic(ctx, cluster, name, &api.DeleteTopicParams{IfMatch: &version})
	return c.Done(ctx, answer, err)
}

// shownAttributes are those of the data source, which has nothing to compare with.
func shownAttributes() map[string]schema.Attribute {
	shown := maps.Clone(schemaAttributes)
	shown["partitions"] = schema.Int64Attribute{Computed: true, MarkdownDescription: "How many partitions it has."}
	shown["configs"] = schema.MapAttribute{
		Computed: true, ElementType: types.StringType, MarkdownDescription: "All configs of its own, by Kafka's names.",
	}
	return shown
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "topic",
	Title:       "topic",
	Description: "A topic, with all configs that it has of its own.",
	Attributes:  shownAttributes(),
	Without:     []string{"deletion_protection"},
	By:          []string{"cluster", "name"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		topic, there, err := c.Topics.Get(ctx, found.Cluster.ValueString(), found.Name.ValueString())
		if err != nil {
			return err
		}
		if !there {
			return managed.Absent("topic")
		}
		found.fill(topic)
		found.Configs = texts(topic.Configs)
		return nil
	},
}
