// Package managed is what all resources and data sources of the provider do alike: timeouts, import, identity, protection from
// deletion, errors, and data sources and listings that follow from a resource.
package managed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
)

// Kind is what is particular to one kind of resource. M is the struct of its attributes, timeouts included.
type Kind[M any] struct {
	// Name is what comes after `firn_`.
	Name string
	// Title is what people call it, as in "SCRAM credential".
	Title string
	// Description is the first paragraph of its page.
	Description string
	// Attributes are all but the timeouts.
	Attributes map[string]schema.Attribute
	// Identity are the attributes that tell it from all others, in the order of the import id.
	Identity []string
	// Made is the attribute that is known once the service has made it: "id" if it is empty.
	Made string
	// Create makes it, and fills in what was not known. Write-only attributes are in config alone. What has been made stays in the
	// state even if there was an error afterwards; one that it is not in force yet is a warning.
	Create func(ctx context.Context, c *client.Client, plan, config *M) error
	// Read brings the state up to date; false if the resource is gone.
	Read func(ctx context.Context, c *client.Client, state *M) (bool, error)
	// Update changes what differs, and fills the plan in. Without it every change makes another resource, or concerns this provider only.
	Update func(ctx context.Context, c *client.Client, plan, state *M) error
	// Delete deletes it. What is gone already is no error.
	Delete func(ctx context.Context, c *client.Client, state *M) error
	// Protected tells whether it may not be deleted.
	Protected func(state *M) bool
	// Fixed are the attributes of what can be protected that make another one if they change.
	Fixed []string
	// Check looks at a plan as a whole.
	Check func(ctx context.Context, plan, state *M, diagnostics *diag.Diagnostics)
	// Listing says how all of them are found.
	Listing *Listing[M]
}

// Default limits of time, for what has no `timeouts` of its own.
const (
	slow  = 10 * time.Minute
	quick = 5 * time.Minute
)

// Resource gives the kind to the framework.
func (k Kind[M]) Resource() resource.Resource { return &managed[M]{kind: k} }

type managed[M any] struct {
	kind   Kind[M]
	client *client.Client
}

var (
	_ resource.ResourceWithConfigure   = &managed[struct{}]{}
	_ resource.ResourceWithImportState = &managed[struct{}]{}
	_ resource.ResourceWithIdentity    = &managed[struct{}]{}
	_ resource.ResourceWithModifyPlan  = &managed[struct{}]{}
)

func (r *managed[M]) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + r.kind.Name
}

func (r *managed[M]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: r.kind.Description,
		Attributes:          r.kind.Attributes,
		Blocks:              map[string]schema.Block{"timeouts": timeouts.BlockAll(ctx)},
	}
}

func (r *managed[M]) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	attributes := map[string]identityschema.Attribute{}
	for _, name := range r.kind.Identity {
		attributes[name] = identityschema.StringAttribute{
			RequiredForImport: true,
			Description:       r.kind.Attributes[name].GetMarkdownDescription(),
		}
	}
	resp.IdentitySchema = identityschema.Schema{Attributes: attributes}
}

func (r *managed[M]) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.client = configured(req.ProviderData, &resp.Diagnostics)
}

// configured is the client that the provider has given; nil before it is configured.
func configured(data any, diagnostics *diag.Diagnostics) *client.Client {
	if data == nil {
		return nil
	}
	c, ok := data.(*client.Client)
	if !ok {
		diagnostics.AddError("Wrong provider data", fmt.Sprintf("It is %T. This is a mistake of the provider.", data))
	}
	return c
}

// getter is a plan, a state or a configuration.
type getter interface {
	Get(ctx context.Context, target any) diag.Diagnostics
	GetAttribute(ctx context.Context, at path.Path, target any) diag.Diagnostics
}

// within limits the time, by what the resource says of it.
func within(
	ctx context.Context, from getter, usual time.Duration,
	of func(timeouts.Value, context.Context, time.Duration) (time.Duration, diag.Diagnostics),
	diagnostics *diag.Diagnostics,
) (context.Context, context.CancelFunc) {
	var limits timeouts.Value
	diagnostics.Append(from.GetAttribute(ctx, path.Root("timeouts"), &limits)...)
	limit := usual
	if !diagnostics.HasError() {
		var problems diag.Diagnostics
		limit, problems = of(limits, ctx, usual)
		diagnostics.Append(problems...)
	}
	return context.WithTimeout(ctx, limit)
}

func (r *managed[M]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	ctx, cancel := within(ctx, req.Plan, slow, timeouts.Value.Create, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	err := r.kind.Create(ctx, r.client, &plan, &config)
	var late *client.NotInForceError
	if errors.As(err, &late) {
		// After an error it would be tainted, and the next apply would destroy what is good.
		resp.Diagnostics.AddWarning(fmt.Sprintf("The %s is created, and perhaps not in force everywhere yet", r.kind.Title), err.Error())
	} else {
		r.report(&resp.Diagnostics, "be created", err)
	}
	var kept diag.Diagnostics
	kept.Append(resp.State.Set(ctx, &plan)...)
	var made attr.Value
	kept.Append(resp.State.GetAttribute(ctx, path.Root(r.made()), &made)...)
	if err != nil && (kept.HasError() || made == nil || made.IsUnknown() || made.IsNull()) {
		resp.State.RemoveResource(ctx)
		return
	}
	resp.Diagnostics.Append(kept...)
	r.identify(ctx, resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *managed[M]) made() string {
	if r.kind.Made == "" {
		return "id"
	}
	return r.kind.Made
}

func (r *managed[M]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, req.State, quick, timeouts.Value.Read, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	found, err := r.kind.Read(ctx, r.client, &state)
	if err != nil {
		r.report(&resp.Diagnostics, "be read", err)
		return
	}
	if !found {
		// The framework wants an identity even of what is gone.
		r.identify(ctx, req.State, resp.Identity, &resp.Diagnostics)
		resp.State.RemoveResource(ctx)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	r.identify(ctx, resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *managed[M]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, req.Plan, slow, timeouts.Value.Update, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() {
		return
	}
	if r.kind.Update != nil {
		if err := r.kind.Update(ctx, r.client, &plan, &state); err != nil {
			r.report(&resp.Diagnostics, "be changed", err)
			return
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	r.identify(ctx, resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *managed[M]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := within(ctx, req.State, slow, timeouts.Value.Delete, &resp.Diagnostics)
	defer cancel()
	if r.protected(&state, &resp.Diagnostics) || resp.Diagnostics.HasError() {
		return
	}
	err := r.kind.Delete(ctx, r.client, &state)
	var remains *RemainsError
	if errors.As(err, &remains) {
		resp.Diagnostics.AddWarning(fmt.Sprintf("The %s stays for now", r.kind.Title), remains.Why)
		return
	}
	r.report(&resp.Diagnostics, "be deleted", err)
}

// RemainsError is what Delete answers when the service keeps the thing for a while, although nothing more is to be done about it: it leaves the state,
// with a warning.
type RemainsError struct {
	// Why says what remains, until when, and what can be done then.
	Why string
}

func (e *RemainsError) Error() string { return e.Why }

// identify copies the attributes that identify into the identity.
func (r *managed[M]) identify(ctx context.Context, state tfsdk.State, identity *tfsdk.ResourceIdentity, diagnostics *diag.Diagnostics) {
	if identity == nil || diagnostics.HasError() {
		return
	}
	for _, name := range r.kind.Identity {
		var value types.String
		diagnostics.Append(state.GetAttribute(ctx, path.Root(name), &value)...)
		diagnostics.Append(identity.SetAttribute(ctx, path.Root(name), value)...)
	}
}
