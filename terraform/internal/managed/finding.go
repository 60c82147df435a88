package managed

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// plain is a description without what concerns changes only.
func plain(description string) string {
	for _, only := range []string{" Another value makes another resource.", "; left out: the one that the API key belongs to"} {
		description = strings.Replace(description, only, "", 1)
	}
	return description
}

// Given tells whether all of these are set.
func Given(texts ...types.String) bool {
	for _, text := range texts {
		if text.IsNull() || text.IsUnknown() {
			return false
		}
	}
	return true
}

// One is the only item that fits.
func One[T any](what string, items []T, fits func(T) bool) (T, error) {
	var found []T
	for _, item := range items {
		if fits(item) {
			found = append(found, item)
		}
	}
	var none T
	switch len(found) {
	case 0:
		return none, fmt.Errorf("there is no such %s", what)
	case 1:
		return found[0], nil
	default:
		return none, fmt.Errorf("there are %d of these: find the %s by its id", len(found), what)
	}
}

// Absent is the error of what is not there.
func Absent(what string) error { return fmt.Errorf("there is no such %s", what) }

// Need is the error of a data source that is not told enough.
func Need(one, other string) error { return fmt.Errorf("set %s, or %s", one, other) }
