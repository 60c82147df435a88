package managed

import (
	"context"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Told is what the service says, and what does not change afterwards.
func Told(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: description,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// Fixed is what has to be said, and makes another resource if it changes.
func Fixed(description string, validators ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{
		Required:            true,
		MarkdownDescription: description + " Another value makes another resource.",
		Validators:          validators,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

// FixedIfGiven is Fixed for what may be left out.
func FixedIfGiven(description string, validators ...validator.String) schema.StringAttribute {
	attribute := Fixed(description, validators...)
	attribute.Required, attribute.Optional = false, true
	return attribute
}

// Chosen is what the service chooses if it is left out; another value makes another resource.
func Chosen(description string, validators ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: description + " Another value makes another resource.",
		Validators:          validators,
		PlanModifiers: []planmodifier.String{
			stringplanmodifier.UseStateForUnknown(),
			stringplanmodifier.RequiresReplaceIfConfigured(),
		},
	}
}

// Name is a name that people choose and may change.
func Name(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Required:            true,
		MarkdownDescription: description,
		Validators:          []validator.String{stringvalidator.LengthBetween(1, 100)},
	}
}

// IsID refuses what is no id with one of these prefixes.
func IsID(prefixes string) validator.String {
	pattern := regexp.MustCompile("^(" + prefixes + ")_[a-h][a-z2-7]{25}$")
	return stringvalidator.RegexMatches(pattern, "it must be an id: "+strings.ReplaceAll(prefixes, "|", "_ or ")+"_ and 26 characters")
}

// Cluster is the attribute of everything that is in a cluster.
func Cluster() schema.StringAttribute { return Fixed("The id of the cluster.", IsID("clu")) }

// Organization is the attribute of everything that is in an organization.
func Organization() schema.StringAttribute {
	return Chosen("The id of the organization; left out: the one that the API key belongs to.", IsID("org"))
}

// ExpiresAt is the moment from which on a credential does not hold.
func ExpiresAt() schema.StringAttribute {
	return FixedIfGiven("From when on it does not hold, as in RFC 3339; left out: it holds until it is destroyed.")
}

// Secret is a secret that is sent and never kept.
func Secret(description string, validators ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{
		Required:            true,
		WriteOnly:           true,
		Sensitive:           true,
		MarkdownDescription: description + " Write-only: it is in no plan and in no state, and may come from an ephemeral resource. It is read when the resource is made.",
		Validators:          validators,
	}
}

// SecretVersion says which of the secrets it is: a change makes another credential, since the service keeps none to compare with.
func SecretVersion(of string) schema.Int64Attribute {
	changed := func(_ context.Context, req planmodifier.Int64Request, resp *int64planmodifier.RequiresReplaceIfFuncResponse) {
		// An imported credential has no version yet, and keeps its secret.
		resp.RequiresReplace = !req.StateValue.IsNull()
	}
	why := "Another version makes another credential, except of one that was imported."
	return schema.Int64Attribute{
		Required:            true,
		MarkdownDescription: "The version of `" + of + "`: count it up to use another secret. " + why + " With `create_before_destroy` the old one works until the new one does.",
		PlanModifiers:       []planmodifier.Int64{int64planmodifier.RequiresReplaceIf(changed, why, why)},
	}
}

// Timeouts is what every model has beside its attributes.
type Timeouts struct {
	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

// leaveOut is for a model that was not read from a configuration.
func (t *Timeouts) leaveOut() {
	all := map[string]attr.Type{
		"create": types.StringType, "read": types.StringType, "update": types.StringType, "delete": types.StringType,
	}
	t.Timeouts = timeouts.Value{Object: types.ObjectNull(all)}
}
