package capool

import (
	"bytes"
	"encoding/pem"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func pems(list types.List) []string {
	texts := []string{}
	for _, element := range list.Elements() {
		if text, ok := element.(types.String); ok {
			texts = append(texts, text.ValueString())
		}
	}
	return texts
}

// samePEM is what the service has: in the words, and in the order, of before if it is the same.
func samePEM(before types.List, has []string) types.List {
	if len(has) == 0 {
		return types.ListNull(types.StringType)
	}
	was := pems(before)
	if len(was) == len(has) && allIn(was, has) && allIn(has, was) {
		return before
	}
	values := make([]attr.Value, len(has))
	for place, text := range has {
		values[place] = types.StringValue(text)
	}
	return types.ListValueMust(types.StringType, values)
}

func allIn(some, all []string) bool {
	for _, one := range some {
		found := false
		for _, other := range all {
			found = found || sameContent(one, other)
		}
		if !found {
			return false
		}
	}
	return true
}

func sameContent(one, other string) bool {
	first, _ := pem.Decode([]byte(one))
	second, _ := pem.Decode([]byte(other))
	return first != nil && second != nil && first.Type == second.Type && bytes.Equal(first.Bytes, second.Bytes)
}
