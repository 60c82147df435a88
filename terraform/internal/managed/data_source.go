package managed

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
)

// Source is a data source that shows what a resource is. D is the struct of its attributes.
type Source[D any] struct {
	// Name is what comes after `firn_`.
	Name string
	// Title is what people call it.
	Title string
	// Description is the first paragraph of its page.
	Description string
	// Attributes are those of the resource; what is write-only or of the provider alone is left out here.
	Attributes map[string]schema.Attribute
	// Without are attributes of the resource that the data source does not have.
	Without []string
	// By are the attributes that it is found by, all of which have to be given.
	By []string
	// OrBy are attributes of which some have to be given; Read tells which are missing.
	OrBy []string
	// Read finds it by what is given, and fills in the rest.
	Read func(ctx context.Context, c *client.Client, found *D) error
}

// DataSource gives the source to the framework.
func (s Source[D]) DataSource() datasource.DataSource { return &source[D]{source: s} }

type source[D any] struct {
	source Source[D]
	client *client.Client
}

var _ datasource.DataSourceWithConfigure = &source[struct{}]{}

func (s *source[D]) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + s.source.Name
}

func (s *source[D]) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	s.client = configured(req.ProviderData, &resp.Diagnostics)
}

func (s *source[D]) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	without := map[string]bool{}
	for _, name := range s.source.Without {
		without[name] = true
	}
	attributes := map[string]data.Attribute{}
	for name, attribute := range s.source.Attributes {
		if !without[name] && !attribute.IsWriteOnly() {
			attributes[name] = shown(attribute)
		}
	}
	for _, name := range s.source.By {
		attributes[name] = asked(attributes[name].(data.StringAttribute), true)
	}
	for _, name := range s.source.OrBy {
		attributes[name] = asked(attributes[name].(data.StringAttribute), false)
	}
	resp.Schema = data.Schema{MarkdownDescription: s.source.Description, Attributes: attributes}
}

func asked(attribute data.StringAttribute, required bool) data.StringAttribute {
	attribute.Required, attribute.Optional, attribute.Computed = required, !required, !required
	return attribute
}

// shown is an attribute of a resource as a data source has it.
func shown(attribute schema.Attribute) data.Attribute {
	text := plain(attribute.GetMarkdownDescription())
	switch attribute := attribute.(type) {
	case schema.StringAttribute:
		return data.StringAttribute{Computed: true, MarkdownDescription: text}
	case schema.BoolAttribute:
		return data.BoolAttribute{Computed: true, MarkdownDescription: text}
	case schema.Int64Attribute:
		return data.Int64Attribute{Computed: true, MarkdownDescription: text}
	case schema.Float64Attribute:
		return data.Float64Attribute{Computed: true, MarkdownDescription: text}
	case schema.MapAttribute:
		return data.MapAttribute{Computed: true, ElementType: attribute.ElementType, MarkdownDescription: text}
	case schema.ListAttribute:
		return data.ListAttribute{Computed: true, ElementType: attribute.ElementType, MarkdownDescription: text}
	case schema.SetAttribute:
		return data.SetAttribute{Computed: true, ElementType: attribute.ElementType, MarkdownDescription: text}
	case schema.SingleNestedAttribute:
		nested := map[string]data.Attribute{}
		for name, inner := range attribute.Attributes {
			nested[name] = shown(inner)
		}
		return data.SingleNestedAttribute{Computed: true, Attributes: nested, MarkdownDescription: text}
	default:
		panic(fmt.Sprintf("a data source cannot show a %T", attribute))
	}
}

func (s *source[D]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var found D
	resp.Diagnostics.Append(req.Config.Get(ctx, &found)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, quick)
	defer cancel()
	if err := s.source.Read(ctx, s.client, &found); err != nil {
		has := func(name string) bool { _, has := s.source.Attributes[name]; return has }
		Report(&resp.Diagnostics, fmt.Sprintf("The %s could not be read", s.source.Title), err, has)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &found)...)
}
