// Package functions has the functions that configurations can call.
package functions

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type parseACL struct{}

// NewParseACL is the function parse_acl.
func NewParseACL() function.Function { return parseACL{} }

func (parseACL) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "parse_acl"
}

var aclTypes = map[string]attr.Type{
	"permission": types.StringType, "principal": types.StringType, "operation": types.StringType, "resource_type": types.StringType,
	"resource_name": types.StringType, "pattern_type": types.StringType, "host": types.StringType,
}

func (parseACL) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Reads an ACL that is written as a sentence",
		MarkdownDescription: "Reads `PERMISSION PRINCIPAL OPERATION RESOURCE [from HOST]`, such as `allow User:sa_… read topic:orders.*` or " +
			"`deny User:* write topic:audit from 10.0.0.7`, into the attributes of a `firn_acl`. The resource is `topic:`, `group:`, " +
			"`transactional_id:` or `user:` and a name, or `cluster`; a name that ends in `*` is a prefix, and `*` alone is every resource of the " +
			"kind. To name a literal that ends in `*` is not possible here. An operation is written as in `firn_acl`, or as Kafka's tools write it.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "acl", MarkdownDescription: "The sentence."},
		},
		Return: function.ObjectReturn{AttributeTypes: aclTypes},
	}
}

func (parseACL) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	resp.Error = function.ConcatFuncErrors(resp.Error, req.Arguments.Get(ctx, &text))
	if resp.Error != nil {
		return
	}
	acl, err := readACL(text)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error())
		return
	}
	values := map[string]attr.Value{}
	for name, value := range acl {
		values[name] = types.StringValue(value)
	}
	resp.Error = function.ConcatFuncErrors(resp.Error, resp.Result.Set(ctx, types.ObjectValueMust(aclTypes, values)))
}

// readACL is the attributes that a sentence says.
func readACL(text string) (map[string]string, error) {
	words := strings.Fields(text)
	host := "*"
	if len(words) == 6 && words[4] == "from" {
		host = words[5]
		words = words[:4]
	}
	if len(words) != 4 {
		return nil, fmt.Errorf("%q is not PERMISSION PRINCIPAL OPERATION RESOURCE [from HOST]", text)
	}
	permission := strings.ToLower(words[0])
	if permission != "allow" && permission != "deny" {
		return nil, fmt.Errorf("%q is neither allow nor deny", words[0])
	}
	if kind, name, _ := strings.Cut(words[1], ":"); kind != "User" || name == "" {
		return nil, fmt.Errorf("the principal %q is not User: and a name", words[1])
	}
	resource, name, pattern, err := readResource(words[3])
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"permission":    permission,
		"principal":     words[1],
		"operation":     snake(words[2]),
		"resource_type": resource,
		"resource_name": name,
		"pattern_type":  pattern,
		"host":          host,
	}, nil
}

func readResource(text string) (kind, name, pattern string, err error) {
	kind, name, named := strings.Cut(text, ":")
	kind = snake(kind)
	switch {
	case kind == "cluster" && (!named || name == "kafka-cluster"):
		return kind, "kafka-cluster", "literal", nil
	case kind != "topic" && kind != "group" && kind != "transactional_id" && kind != "user":
		return "", "", "", fmt.Errorf("the resource %q is not topic:, group:, transactional_id: or user: and a name, nor cluster", text)
	case name == "":
		return "", "", "", fmt.Errorf("the resource %q has no name; every one is %s:*", text, kind)
	case name != "*" && strings.HasSuffix(name, "*"):
		return kind, strings.TrimSuffix(name, "*"), "prefixed", nil
	default:
		return kind, name, "literal", nil
	}
}

// snake writes AlterConfigs, ALTER_CONFIGS and alter-configs as alter_configs.
func snake(word string) string {
	var out strings.Builder
	lower := false
	for _, letter := range word {
		capital := letter >= 'A' && letter <= 'Z'
		if capital && lower {
			out.WriteByte('_')
		}
		lower = letter >= 'a' && letter <= 'z'
		out.WriteRune(letter)
	}
	return strings.ReplaceAll(strings.ToLower(out.String()), "-", "_")
}
