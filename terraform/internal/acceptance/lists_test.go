package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/querycheck/queryfilter"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/firn-stream/terraform-provider-firn/internal/provider"
)

// listed is a kind of resource, where it is listed, and as what one has to show up there.
type listed struct {
	kind, parent, in, as string
}

var (
	making sync.Mutex
	made   []listed
)

// oneOfEach is a project with one of each kind in it, which all tests of lists share: an organization may have ten clusters only, the deleted
// ones included.
func oneOfEach(t *testing.T) []listed {
	t.Helper()
	if firn == nil {
		t.Skip("TF_ACC is not set")
	}
	making.Lock()
	defer making.Unlock()
	if made == nil {
		made = makeOneOfEach(t, "listed")
	}
	return made
}

func makeOneOfEach(t *testing.T, name string) []listed {
	t.Helper()
	send := func(method, path string, body map[string]any) answer { return firn.must(method, path, body, nil) }
	project := send("POST", "/v1/projects", map[string]any{"organization": firn.organization, "name": name}).text("id")
	account := send("POST", "/v1/service-accounts", map[string]any{"project": project, "name": name}).text("id")
	key := send("POST", "/v1/api-keys", map[string]any{"service_account": account})
	cluster := send("POST", "/v1/clusters", map[string]any{"project": project, "name": name}).text("id")
	below := "/v1/clusters/" + cluster
	send("POST", below+"/topics", map[string]any{"name": name, "partitions": 1, "configs": map[string]any{"retention.ms": "60000"}})
	send("POST", below+"/topics", map[string]any{"name": name + "-2", "partitions": 1})
	send("POST", below+"/acls", map[string]any{
		"principal": "User:" + account, "resource_type": "topic", "resource_name": name, "operation": "read", "permission": "allow",
	})
	send("PUT", below+"/quotas", map[string]any{
		"entity": map[string]any{"user": map[string]any{"name": name}, "client_id": map[string]any{"default": true}},
		"quotas": map[string]any{"producer_byte_rate": 5},
	})
	send("POST", below+"/ca-pools", map[string]any{"name": name, "certificates": []string{authority(t, name)}})
	send("POST", below+"/identity-providers", map[string]any{"name": name, "issuer": issuer(t), "audiences": []string{"kafka"}})
	scram := send("POST", below+"/scram-credentials", map[string]any{"service_account": account})
	send("POST", "/v1/organizations/"+firn.organization+"/invitations", map[string]any{"email": name + "@example.com", "role": "viewer"})
	bindings := "/v1/organizations/" + firn.organization + "/role-bindings"
	send("POST", bindings, map[string]any{"principal": account, "role": "viewer", "scope": project})
	return []listed{
		{"firn_acl", "cluster", cluster, "allow User:" + account + " read topic " + name},
		{"firn_api_key", "project", project, key.text("id")},
		{"firn_ca_pool", "cluster", cluster, name},
		{"firn_cluster", "project", project, name},
		{"firn_identity_provider", "cluster", cluster, name},
		{"firn_invitation", "organization", firn.organization, name + "@example.com"},
		{"firn_project", "organization", firn.organization, name},
		{"firn_quota", "cluster", cluster, "user " + name + ", client_id <default>"},
		{"firn_role_binding", "organization", firn.organization, account + " viewer " + project},
		{"firn_scram_credential", "cluster", cluster, scram.text("username")},
		{"firn_service_account", "project", project, name},
		{"firn_topic", "cluster", cluster, name},
	}
}

// dynamic is a value as Terraform sends it.
func dynamic(t *testing.T, kinds map[string]tftypes.Type, values map[string]tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	object := tftypes.Object{AttributeTypes: kinds}
	value, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, values))
	if err != nil {
		t.Fatal(err)
	}
	return &value
}

// lister is the provider, as Terraform 1.14 speaks with it.
func lister(t *testing.T) tfprotov6.ProviderServerWithListResource {
	t.Helper()
	server := providerserver.NewProtocol6(provider.New("test")())()
	kinds := map[string]tftypes.Type{"endpoint": tftypes.String, "api_key": tftypes.String, "max_retries": tftypes.Number}
	config := dynamic(t, kinds, map[string]tftypes.Value{
		"endpoint": tftypes.NewValue(tftypes.String, firn.http), "api_key": tftypes.NewValue(tftypes.String, firn.key),
		"max_retries": tftypes.NewValue(tftypes.Number, nil),
	})
	configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config})
	if err != nil || len(configured.Diagnostics) > 0 {
		t.Fatal(err, configured.Diagnostics)
	}
	lists, ok := server.(tfprotov6.ProviderServerWithListResource)
	if !ok {
		t.Fatal("the provider lists nothing")
	}
	return lists
}

// Lists are asked for as Terraform 1.14 does, whichever Terraform is here.
func TestEverythingIsListed(t *testing.T) {
	t.Parallel()
	all := oneOfEach(t)
	lists := lister(t)
	list := func(of listed, limit int64) (names []string) {
		t.Helper()
		config := dynamic(t, map[string]tftypes.Type{of.parent: tftypes.String}, map[string]tftypes.Value{
			of.parent: tftypes.NewValue(tftypes.String, of.in),
		})
		request := &tfprotov6.ListResourceRequest{TypeName: of.kind, Config: config, IncludeResource: true, Limit: limit}
		stream, err := lists.ListResource(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		for result := range stream.Results {
			if len(result.Diagnostics) > 0 || result.Resource == nil || result.Identity == nil {
				t.Errorf("%s: %v", of.kind, result.Diagnostics)
			}
			names = append(names, result.DisplayName)
		}
		return names
	}
	for _, one := range all {
		if found := list(one, 0); !slices.Contains(found, one.as) {
			t.Errorf("no %s %q in %q", one.kind, one.as, found)
		}
	}
	topics := all[len(all)-1]
	if found := list(topics, 1); !slices.Equal(found, []string{"listed"}) {
		t.Errorf("one topic was wanted, and %q came", found)
	}
}

// block is a `list` block; of what is listed in the organization, other tests have some, too.
func (l listed) block(label string) string {
	return fmt.Sprintf("list %q %q {\n  provider         = firn\n  include_resource = true\n  config {\n    %s = %q\n  }\n}\n", l.kind, label, l.parent, l.in)
}

// The same with the binary, where it speaks lists.
func TestQuery(t *testing.T) {
	t.Parallel()
	all := oneOfEach(t)
	config := "provider \"firn\" {}\n"
	var checks []querycheck.QueryResultCheck
	for _, one := range all {
		config += one.block("all")
		checks = append(checks, querycheck.ExpectLengthAtLeast(one.kind+".all", 1))
	}
	topics := all[len(all)-1]
	first := queryfilter.ByDisplayName(knownvalue.StringExact("listed"))
	checks = append(checks, querycheck.ExpectLength("firn_topic.all", 2),
		querycheck.ExpectIdentity("firn_topic.all", map[string]knownvalue.Check{
			"cluster": knownvalue.StringExact(topics.in), "name": knownvalue.StringExact("listed"),
		}),
		querycheck.ExpectResourceKnownValues("firn_topic.all", first, []querycheck.KnownValueCheck{
			{Path: tfjsonpath.New("partitions"), KnownValue: knownvalue.Int64Exact(1)},
			{
				Path:       tfjsonpath.New("configs"),
				KnownValue: knownvalue.MapExact(map[string]knownvalue.Check{"retention.ms": knownvalue.StringExact("60000")}),
			},
		}))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_14_0)},
		Steps:                    []resource.TestStep{{Query: true, Config: config, QueryResultChecks: checks}},
	})
}

// queryable is a folder for a program that speaks lists.
func queryable(t *testing.T, configuration string) *cli {
	t.Helper()
	c := newCLI(t, configuration)
	if _, code := c.try("query", "-help"); code != 0 {
		t.Skip("this program does not speak lists")
	}
	return c
}

func TestExamplesOfListsAreValid(t *testing.T) {
	t.Parallel()
	c := queryable(t, examples(t, "provider/provider.tf"))
	c.write("examples.tfquery.hcl", examples(t, "list-resources/*/*.tfquery.hcl"))
	c.run("validate", "-query")
}

// Secrets, which no list has, and what a person writes there.
var unwritten = strings.NewReplacer(
	"secret_wo         = null # sensitive", `secret_wo = "`+firstSecret+`"`, "secret_wo_version = null", "secret_wo_version = 1",
	"password_wo         = null # sensitive", `password_wo = "Nobody-reads-this-7"`, "password_wo_version = null", "password_wo_version = 1",
)

// What is there already is brought under Terraform: the query writes the configuration of everything that it finds, and applying that imports it.
func TestTheConfigurationThatAQueryWritesImportsWhatItFound(t *testing.T) {
	t.Parallel()
	c := queryable(t, "terraform {\n  required_providers {\n    firn = { source = \"firn/firn\" }\n  }\n}\nprovider \"firn\" {}\n")
	var lists strings.Builder
	found := 0
	for _, one := range oneOfEach(t) {
		// In the organization there is also what other tests make and destroy meanwhile.
		if one.parent != "organization" {
			lists.WriteString(one.block("all"))
			found++
		}
	}
	// Of topics there are two.
	found++
	c.write("all.tfquery.hcl", lists.String())
	c.run("query", "-generate-config-out=found.tf")
	path := filepath.Join(c.folder, "found.tf")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(unwritten.Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	output := c.run("apply", "-no-color", "-auto-approve")
	// Only versions of secrets are new to what was imported.
	wanted := fmt.Sprintf("Resources: %d imported, 0 added, 2 changed, 0 destroyed", found)
	if !strings.Contains(output, wanted) {
		t.Errorf("%s was wanted:\n%s", wanted, regexp.MustCompile(`(?m)^Apply complete.*$`).FindString(output))
	}
	if output, code := c.try("plan", "-no-color", "-detailed-exitcode"); code != 0 {
		t.Errorf("the plan is not empty:\n%s", output)
	}
}
