package topic

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func TestOnlyDeclaredConfigsAreCompared(t *testing.T) {
	declared := types.MapValueMust(types.StringType, map[string]attr.Value{
		"retention.ms": types.StringValue("1000"), "cleanup.policy": types.StringValue("delete"), "max.message.bytes": types.StringNull(),
	})
	found := only(declared, map[string]string{"retention.ms": "7", "max.message.bytes": "5000", "segment.bytes": "9"})
	wanted := types.MapValueMust(types.StringType, map[string]attr.Value{
		"retention.ms": types.StringValue("7"), "max.message.bytes": types.StringNull(),
	})
	if !found.Equal(wanted) {
		t.Errorf("%s", found)
	}
	if none := types.MapNull(types.StringType); !only(none, map[string]string{"retention.ms": "7"}).Equal(none) {
		t.Error("nothing was declared")
	}
}

func TestOnlyWhatDiffersIsChanged(t *testing.T) {
	found := changes(map[string]string{"a": "1", "b": "2", "c": "3"}, map[string]string{"a": "1", "b": "4", "d": "5"})
	if len(found) != 3 || *found["b"] != "4" || found["c"] != nil || *found["d"] != "5" {
		t.Errorf("%v", found)
	}
	if _, told := found["c"]; !told {
		t.Error("what is taken out has to go back to the default")
	}
}
