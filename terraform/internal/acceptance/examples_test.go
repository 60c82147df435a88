package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// examples is the text of all examples that fit the patterns.
func examples(t *testing.T, patterns ...string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join("../../examples", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no example is %s: %v", pattern, err)
		}
		for _, path := range found {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(append(text, '\n'))
		}
	}
	return all.String()
}

// others are blocks of a provider that is not here.
var others = regexp.MustCompile(`(?ms)^(?:resource|ephemeral) "aws_.*?^}\n`)

// The examples of the docs, which refer to each other: planned as the first plan of a new configuration, when no id is known.
func TestExamplesCanBePlanned(t *testing.T) {
	t.Parallel()
	text := others.ReplaceAllString(examples(t, "provider/provider.tf", "resources/*/resource.tf"), "")
	// What AWS would keep is the password, and its version.
	text = strings.NewReplacer(
		"ephemeral.aws_secretsmanager_secret_version.checkout.secret_string", "ephemeral.firn_password.checkout.result",
		"aws_secretsmanager_secret_version.checkout.secret_string_wo_version", "1",
	).Replace(text)
	c := newCLI(t, text)
	c.write("devices-ca.pem", "a certificate\n")
	if output := c.run("plan"); !strings.Contains(output, `firn_acl.all["read_prices"]`) {
		t.Errorf("the plan is another:\n%s", output)
	}
}

func TestExamplesOfWhatIsReadAreValid(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"data sources": examples(t, "provider/provider.tf", "data-sources/*/*.tf", "functions/parse_acl/*.tf"),
		"ephemerals": examples(t, "provider/provider.tf", "ephemeral-resources/*/*.tf", "functions/api_key/*.tf",
			"resources/firn_project/resource.tf", "resources/firn_cluster/resource.tf", "resources/firn_service_account/resource.tf"),
	} {
		if output, code := newCLI(t, text).try("validate"); code != 0 {
			t.Errorf("%s:\n%s", name, output)
		}
	}
}
