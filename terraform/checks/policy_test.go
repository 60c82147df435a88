package checks_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// violations looks at what was made for what must never be: open ports, things that are not encrypted, rights on everything.
func violations(resources []resource) (found []string) {
	for _, resource := range resources {
		for _, instance := range resource.Instances {
			for _, rule := range rules {
				if slices.Contains(rule.kinds, resource.Type) && !rule.kept(instance.Attributes) {
					found = append(found, fmt.Sprintf("%s.%s.%s: %s", resource.Module, resource.Type, resource.Name, rule.sentence))
				}
			}
		}
	}
	return found
}

type rule struct {
	kinds    []string
	sentence string
	kept     func(map[string]any) bool
}

var rules = []rule{
	{[]string{"aws_vpc_security_group_ingress_rule"}, "only Kafka and HTTPS are open to the world", func(a map[string]any) bool {
		world := a["cidr_ipv4"] == "0.0.0.0/0" || a["cidr_ipv6"] == "::/0"
		return !world || (a["from_port"] == a["to_port"] && (a["from_port"] == 9092.0 || a["from_port"] == 443.0))
	}},
	{[]string{"aws_security_group", "aws_default_security_group"}, "rules are resources of their own, so that all are looked at", func(a map[string]any) bool {
		return empty(a["ingress"]) && empty(a["egress"])
	}},
	{[]string{"aws_db_instance"}, "the database is encrypted, private and doubled", func(a map[string]any) bool {
		return a["storage_encrypted"] == true && a["publicly_accessible"] == false && a["multi_az"] == true && a["password"] == nil
	}},
	{[]string{"aws_s3_bucket_public_access_block"}, "buckets are private", func(a map[string]any) bool {
		return a["block_public_acls"] == true && a["block_public_policy"] == true && a["ignore_public_acls"] == true && a["restrict_public_buckets"] == true
	}},
	{[]string{"aws_s3_bucket_policy"}, "buckets are spoken to by TLS only", func(a map[string]any) bool {
		return strings.Contains(text(a["policy"]), `"aws:SecureTransport":"false"`)
	}},
	{[]string{"aws_launch_template"}, "disks are encrypted, and metadata wants a token", func(a map[string]any) bool {
		encrypted := true
		for _, mapping := range list(a["block_device_mappings"]) {
			for _, ebs := range list(mapping["ebs"]) {
				encrypted = encrypted && ebs["encrypted"] == "true"
			}
		}
		metadata := list(a["metadata_options"])
		return encrypted && len(metadata) == 1 && metadata[0]["http_tokens"] == "required"
	}},
	{[]string{"aws_iam_role_policy"}, "no right to everything, and none on everything", func(a map[string]any) bool {
		return !regexp.MustCompile(`"(Action|Resource)":(\[[^\]]*)?"(\*|[a-z0-9]+:\*)"`).MatchString(text(a["policy"]))
	}},
	{[]string{"aws_lb_listener"}, "a listener for HTTP would answer without TLS", func(a map[string]any) bool {
		return a["protocol"] == "TCP" || (a["protocol"] == "HTTPS" && strings.Contains(text(a["ssl_policy"]), "TLS13"))
	}},
	{[]string{"aws_kms_key"}, "keys are rotated", func(a map[string]any) bool { return a["enable_key_rotation"] == true }},
	{[]string{"aws_cloudwatch_log_group"}, "logs end", func(a map[string]any) bool { return a["retention_in_days"] != nil }},
	{[]string{"aws_instance", "aws_iam_user", "aws_iam_access_key", "aws_key_pair", "aws_security_group_rule"}, "this kind of resource is not looked at, or lasts too long", func(map[string]any) bool { return false }},
}

func empty(value any) bool {
	items, isList := value.([]any)
	return value == nil || (isList && len(items) == 0)
}

func text(value any) string { words, _ := value.(string); return words }

func list(value any) (objects []map[string]any) {
	items, _ := value.([]any)
	for _, item := range items {
		object, _ := item.(map[string]any)
		objects = append(objects, object)
	}
	return objects
}

func TestNothingIsOpenOrInClear(t *testing.T) {
	resources := parsed[stateFile](t, applied(t).state).Resources
	for _, violation := range violations(resources) {
		t.Error(violation)
	}
	for _, rule := range rules[:len(rules)-1] {
		looked := slices.ContainsFunc(resources, func(r resource) bool { return slices.Contains(rule.kinds, r.Type) })
		if !looked {
			t.Errorf("nothing was looked at: %s", rule.sentence)
		}
	}
}

func TestTheRulesBite(t *testing.T) {
	for kind, broken := range map[string]map[string]any{
		"aws_vpc_security_group_ingress_rule": {"cidr_ipv4": "0.0.0.0/0", "from_port": 22.0, "to_port": 22.0},
		"aws_security_group":                  {"ingress": []any{map[string]any{}}},
		"aws_db_instance":                     {"storage_encrypted": false, "publicly_accessible": false, "multi_az": true},
		"aws_s3_bucket_public_access_block":   {"block_public_acls": true},
		"aws_s3_bucket_policy":                {"policy": "{}"},
		"aws_launch_template":                 {"metadata_options": []any{map[string]any{"http_tokens": "optional"}}},
		"aws_iam_role_policy":                 {"policy": `{"Action":["s3:GetObject"],"Resource":"*"}`},
		"aws_lb_listener":                     {"protocol": "HTTP"},
		"aws_kms_key":                         {"enable_key_rotation": false},
		"aws_cloudwatch_log_group":            {},
		"aws_iam_user":                        {},
	} {
		planted := resource{Type: kind, Instances: []struct{ Attributes map[string]any }{{broken}}}
		if len(violations([]resource{planted})) != 1 {
			t.Errorf("%s is let through", kind)
		}
	}
}
