package managed

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Moment is a moment as the API writes it.
func Moment(moment time.Time) types.String {
	return types.StringValue(moment.UTC().Format(time.RFC3339Nano))
}

// MomentIfAny is Moment for what may be missing. Where it is the moment that was there before, so is the text.
func MomentIfAny(moment *time.Time, before types.String) types.String {
	if moment == nil {
		return types.StringNull()
	}
	if was, err := time.Parse(time.RFC3339, before.ValueString()); err == nil && was.Equal(*moment) {
		return before
	}
	return Moment(*moment)
}

// ParseMoment is the moment that an attribute names; nil if it names none.
func ParseMoment(text types.String) (*time.Time, error) {
	if text.IsNull() || text.IsUnknown() {
		return nil, nil
	}
	moment, err := time.Parse(time.RFC3339, text.ValueString())
	return &moment, err
}

// TextIfAny is the text, or nil if there is none.
func TextIfAny(text types.String) *string {
	if text.IsUnknown() {
		return nil
	}
	return text.ValueStringPointer()
}

// NumberIfAny is the number, or nil if there is none.
func NumberIfAny(number types.Int64) *int64 {
	if number.IsUnknown() {
		return nil
	}
	return number.ValueInt64Pointer()
}
