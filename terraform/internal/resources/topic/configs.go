package topic

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// configured are the configs that a map has.
func configured(configs types.Map) map[string]string {
	found := map[string]string{}
	for key, value := range configs.Elements() {
		if text, ok := value.(types.String); ok && !text.IsNull() {
			found[key] = text.ValueString()
		}
	}
	return found
}

func texts(configs map[string]string) types.Map {
	values := make(map[string]attr.Value, len(configs))
	for key, value := range configs {
		values[key] = types.StringValue(value)
	}
	if len(values) == 0 {
		return types.MapNull(types.StringType)
	}
	return types.MapValueMust(types.StringType, values)
}

// only are those of the topic's configs that were in the state: nobody else's. A key that was declared null is nobody's, and stays null.
func only(state types.Map, has map[string]string) types.Map {
	if state.IsNull() {
		return state
	}
	values := map[string]attr.Value{}
	for key, before := range state.Elements() {
		value, ok := has[key]
		switch {
		case before.IsNull():
			values[key] = before
		case ok:
			values[key] = types.StringValue(value)
		}
	}
	return types.MapValueMust(types.StringType, values)
}

// changes lead from one set of configs to another; null is what a key goes back to the default by.
func changes(from, to map[string]string) map[string]*string {
	changed := map[string]*string{}
	for key := range from {
		if _, stays := to[key]; !stays {
			changed[key] = nil
		}
	}
	for key, value := range to {
		if was, had := from[key]; !had || was != value {
			changed[key] = &value
		}
	}
	return changed
}
