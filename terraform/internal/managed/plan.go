package managed

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ModifyPlan refuses in the plan what an apply would refuse: to destroy what is protected.
func (r *managed[M]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.State.Raw.IsNull() {
		return
	}
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.Plan.Raw.IsNull() {
		r.protected(&state, &resp.Diagnostics)
		return
	}
	if r.kind.Protected != nil {
		for _, name := range r.kind.Fixed {
			var was, is attr.Value
			resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root(name), &was)...)
			resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root(name), &is)...)
			// What is not known yet is replaced too.
			if !resp.Diagnostics.HasError() && !was.Equal(is) {
				r.protected(&state, &resp.Diagnostics)
				break
			}
		}
	}
	if r.kind.Check != nil {
		var plan M
		resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
		if !resp.Diagnostics.HasError() {
			r.kind.Check(ctx, &plan, &state, &resp.Diagnostics)
		}
	}
}

func (r *managed[M]) protected(state *M, diagnostics *diag.Diagnostics) bool {
	if r.kind.Protected == nil || !r.kind.Protected(state) {
		return false
	}
	diagnostics.AddAttributeError(
		path.Root("deletion_protection"),
		fmt.Sprintf("The %s is protected from deletion", r.kind.Title),
		"What is in it would be lost. To delete or replace it, set deletion_protection = false, apply that, and then try again.",
	)
	return true
}

// ImportState takes the identity, or its parts with a slash in between.
func (r *managed[M]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	parts := strings.Split(req.ID, "/")
	if req.ID == "" && req.Identity != nil {
		parts = nil
		for _, name := range r.kind.Identity {
			var part types.String
			resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root(name), &part)...)
			parts = append(parts, part.ValueString())
		}
	}
	if len(parts) != len(r.kind.Identity) {
		resp.Diagnostics.AddError(
			fmt.Sprintf("%q is no import id of a %s", req.ID, r.kind.Title),
			"It has the form "+strings.ToUpper(strings.Join(r.kind.Identity, "/"))+".",
		)
		return
	}
	for place, name := range r.kind.Identity {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), parts[place])...)
		if resp.Identity != nil {
			resp.Diagnostics.Append(resp.Identity.SetAttribute(ctx, path.Root(name), parts[place])...)
		}
	}
}
