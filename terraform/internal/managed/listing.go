package managed

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
)

// Listing is how all resources of a kind below a parent are found, for `list` blocks (Terraform 1.14).
type Listing[M any] struct {
	// Parent is the attribute that says where to look.
	Parent string
	// ParentIsOptional tells whether the service knows where to look.
	ParentIsOptional bool
	// All is everything that is there.
	All func(ctx context.Context, c *client.Client, parent types.String) ([]M, error)
	// Show is what people know one by.
	Show func(*M) string
}

// Models is Listing.All out of what the API lists; fill makes a model of one, and says what the API does not tell again.
func Models[T, M any, P interface {
	*M
	leaveOut()
}](
	list func(ctx context.Context, c *client.Client, parent types.String) ([]T, error),
	fill func(one P, item T, parent types.String),
) func(ctx context.Context, c *client.Client, parent types.String) ([]M, error) {
	return func(ctx context.Context, c *client.Client, parent types.String) ([]M, error) {
		items, err := list(ctx, c, parent)
		models := make([]M, len(items))
		for place, item := range items {
			one := P(&models[place])
			fill(one, item, parent)
			one.leaveOut()
		}
		return models, err
	}
}

// ListResource gives the kind's listing to the framework; nil if it has none.
func (k Kind[M]) ListResource() list.ListResource {
	if k.Listing == nil {
		return nil
	}
	return &listed[M]{managed[M]{kind: k}}
}

type listed[M any] struct{ managed[M] }

var _ list.ListResourceWithConfigure = &listed[struct{}]{}

func (l *listed[M]) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	listing := l.kind.Listing
	resp.Schema = listschema.Schema{
		MarkdownDescription: fmt.Sprintf("Lists every %s of the %s, for `terraform query` (Terraform 1.14 or later; OpenTofu does not know lists). "+
			"With `-generate-config-out=FILE` it writes the configuration that imports what it finds.", l.kind.Title, listing.Parent),
		Attributes: map[string]listschema.Attribute{
			listing.Parent: listschema.StringAttribute{
				Required:            !listing.ParentIsOptional,
				Optional:            listing.ParentIsOptional,
				MarkdownDescription: fmt.Sprintf("The id of the %s in which to look.", listing.Parent),
			},
		},
	}
}

func (l *listed[M]) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var parent types.String
	var diagnostics diag.Diagnostics
	diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(l.kind.Listing.Parent), &parent)...)
	var all []M
	if !diagnostics.HasError() {
		asking, cancel := context.WithTimeout(ctx, quick)
		defer cancel()
		found, err := l.kind.Listing.All(asking, l.client, parent)
		l.report(&diagnostics, "be listed", err)
		all = found
	}
	if diagnostics.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diagnostics)
		return
	}
	stream.Results = func(push func(list.ListResult) bool) {
		for place := range all {
			if req.Limit > 0 && int64(place) >= req.Limit {
				return
			}
			if !push(l.result(ctx, req, &all[place])) {
				return
			}
		}
	}
}

func (l *listed[M]) result(ctx context.Context, req list.ListRequest, one *M) list.ListResult {
	result := req.NewListResult(ctx)
	result.DisplayName = l.kind.Listing.Show(one)
	whole := result.Resource
	result.Diagnostics.Append(whole.Set(ctx, one)...)
	for _, name := range l.kind.Identity {
		var value types.String
		result.Diagnostics.Append(whole.GetAttribute(ctx, path.Root(name), &value)...)
		result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root(name), value)...)
	}
	return result
}
