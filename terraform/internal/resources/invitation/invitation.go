// Package invitation is firn_invitation: somebody who is asked to join the organization.
package invitation

import (
	"context"
	"net/http"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	openapi "github.com/oapi-codegen/runtime/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

type attributes struct {
	ID           types.String `tfsdk:"id"`
	Organization types.String `tfsdk:"organization"`
	Email        types.String `tfsdk:"email"`
	Role         types.String `tfsdk:"role"`
	Status       types.String `tfsdk:"status"`
	InvitedBy    types.String `tfsdk:"invited_by"`
	ExpiresAt    types.String `tfsdk:"expires_at"`
	CreatedAt    types.String `tfsdk:"created_at"`
}

type model struct {
	attributes
	managed.Timeouts
}

const (
	pending  = "pending"
	accepted = "accepted"
)

func (m *attributes) fill(invitation api.Invitation) {
	m.ID = types.StringValue(invitation.Id)
	// The service writes an address in small letters.
	if !strings.EqualFold(m.Email.ValueString(), invitation.Email) {
		m.Email = types.StringValue(invitation.Email)
	}
	m.Role = types.StringValue(string(invitation.Role))
	m.Status = types.StringValue(pending)
	m.InvitedBy = types.StringValue(invitation.InvitedBy)
	m.ExpiresAt = managed.Moment(invitation.ExpiresAt)
	m.CreatedAt = managed.Moment(invitation.CreatedAt)
}

var schemaAttributes = map[string]schema.Attribute{
	"id":           managed.Told("The id, `inv_…`."),
	"organization": managed.Organization(),
	"email":        managed.Fixed("The address that it is sent to.", stringvalidator.LengthBetween(3, 254)),
	"role": managed.Fixed(
		"The role in all of the organization that comes with it: `owner`, `admin`, `operator`, `developer`, `viewer` or `billing`.",
		stringvalidator.OneOf("owner", "admin", "operator", "developer", "viewer", "billing"),
	),
	"status": managed.Told(
		"`pending`, or `accepted` once somebody with this address is a member. One that has expired is gone, and is sent again by the next apply.",
	),
	"invited_by": managed.Told("Who invited."),
	"expires_at": managed.Told("Until when it can be accepted."),
	"created_at": managed.Told("When it was sent."),
}

// Kind is the resource.
var Kind = managed.Kind[model]{
	Name:  "invitation",
	Title: "invitation",
	Description: "An invitation into the organization, which is mailed. To destroy it revokes it while it is pending; whoever has accepted " +
		"stays a member.",
	Attributes: schemaAttributes,
	Identity:   []string{"organization", "id"},
	Create:     create,
	Read:       read,
	Delete: func(ctx context.Context, c *client.Client, state *model) error {
		answer, err := c.API.RevokeInvitation(ctx, state.Organization.ValueString(), state.ID.ValueString(), nil)
		return c.Done(ctx, answer, err)
	},
	Listing: &managed.Listing[model]{
		Parent: "organization",
		All: managed.Models(all, func(one *model, invitation api.Invitation, organization types.String) {
			one.fill(invitation)
			one.Organization = organization
		}),
		Show: func(one *model) string { return one.Email.ValueString() },
	},
}

func create(ctx context.Context, c *client.Client, plan, _ *model) error {
	organization, err := c.Organization(ctx, plan.Organization.ValueString())
	if err != nil {
		return err
	}
	answer, err := c.API.CreateInvitation(ctx, organization, nil, api.InvitationRequest{
		Email: openapi.Email(plan.Email.ValueString()),
		Role:  api.RoleName(plan.Role.ValueString()),
	})
	invitation, err := client.Settle[api.Invitation](ctx, c, answer, err)
	if invitation.Id != "" {
		plan.fill(invitation)
		plan.Organization = types.StringValue(organization)
	}
	return err
}

func read(ctx context.Context, c *client.Client, state *model) (bool, error) {
	invitations, err := all(ctx, c, state.Organization)
	if err != nil {
		return !client.IsGone(err), ignoreGone(err)
	}
	for _, invitation := range invitations {
		if invitation.Id == state.ID.ValueString() {
			state.fill(invitation)
			return true, nil
		}
	}
	joined, err := isMember(ctx, c, state.Organization.ValueString(), state.Email.ValueString())
	if joined {
		state.Status = types.StringValue(accepted)
	}
	return joined || err != nil, err
}

func ignoreGone(err error) error {
	if client.IsGone(err) {
		return nil
	}
	return err
}

func isMember(ctx context.Context, c *client.Client, organization, email string) (bool, error) {
	type member struct {
		Email string `json:"email"`
	}
	members, err := client.All[member](func(cursor *string) (*http.Response, error) {
		return c.API.ListMembers(ctx, organization, &api.ListMembersParams{Cursor: cursor})
	})
	for _, member := range members {
		if strings.EqualFold(member.Email, email) {
			return true, nil
		}
	}
	return false, err
}

func all(ctx context.Context, c *client.Client, organization types.String) ([]api.Invitation, error) {
	return client.All[api.Invitation](func(cursor *string) (*http.Response, error) {
		return c.API.ListInvitations(ctx, organization.ValueString(), &api.ListInvitationsParams{Cursor: cursor})
	})
}

// Source is the data source.
var Source = managed.Source[attributes]{
	Name:        "invitation",
	Title:       "invitation",
	Description: "A pending invitation, by its `id` or its `email`.",
	Attributes:  schemaAttributes,
	By:          []string{"organization"},
	OrBy:        []string{"id", "email"},
	Read: func(ctx context.Context, c *client.Client, found *attributes) error {
		invitations, err := all(ctx, c, found.Organization)
		if err != nil {
			return err
		}
		invitation, err := managed.One("invitation", invitations, func(invitation api.Invitation) bool {
			return (!managed.Given(found.ID) || invitation.Id == found.ID.ValueString()) &&
				(!managed.Given(found.Email) || strings.EqualFold(invitation.Email, found.Email.ValueString()))
		})
		if err == nil {
			found.fill(invitation)
		}
		return err
	},
}
