package acceptance

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	config := `resource "firn_cluster" "it" {
  project             = %q
  name                = %q
  deletion_protection = %t
  limits = {
    topics = %d
  }
  timeouts {
    create = "2m"
  }
}`
	project := firnOr("project")
	lifecycle{
		address:     "firn_cluster.it",
		created:     fmt.Sprintf(config, project, "orders", true, 50),
		first:       attributes{"name": "orders", "state": "active", "limits.topics": "50", "deletion_protection": "true"},
		changed:     fmt.Sprintf(config, project, "all orders", true, 60),
		second:      attributes{"name": "all orders", "limits.topics": "60"},
		unprotected: fmt.Sprintf(config, project, "all orders", false, 60),
		importID:    byID(""),
		path:        byID("/v1/clusters/"),
		drift: func(now attributes) {
			firn.change("PATCH", "/v1/clusters/"+now["id"], map[string]any{"limits": map[string]any{"topics": 7}})
		},
		action: plancheck.ResourceActionUpdate,
	}.run(t)
}

func TestTopic(t *testing.T) {
	t.Parallel()
	config := `resource "firn_topic" "it" {
  cluster             = %q
  name                = "orders"
  partitions          = %d
  deletion_protection = %t
  configs = {
    "retention.ms" = %q
    %s
  }
}`
	cluster := firnOr("cluster")
	path := "/v1/clusters/" + cluster + "/topics/orders"
	compacted := `"cleanup.policy" = "compact"`
	lifecycle{
		address:     "firn_topic.it",
		created:     fmt.Sprintf(config, cluster, 3, true, "3600000", compacted),
		first:       attributes{"partitions": "3", "configs.%": "2", "configs.retention.ms": "3600000"},
		changed:     fmt.Sprintf(config, cluster, 4, true, "7200000", ""),
		second:      attributes{"partitions": "4", "configs.%": "1", "configs.retention.ms": "7200000"},
		unprotected: fmt.Sprintf(config, cluster, 4, false, "7200000", ""),
		importID:    func(attributes) string { return cluster + "/orders" },
		identifier:  "name",
		path:        func(attributes) string { return path },
		drift: func(attributes) {
			// One key that is configured, and one that is not: only the first is repaired.
			configs := map[string]any{"retention.ms": "1000", "max.message.bytes": "5000"}
			firn.change("PATCH", path, map[string]any{"configs": configs})
		},
		action: plancheck.ResourceActionUpdate,
	}.run(t)
}

func TestConfigsThatNobodyDeclaredAreNoDrift(t *testing.T) {
	t.Parallel()
	config := `resource "firn_topic" "it" {
  cluster             = %q
  name                = "quiet"
  deletion_protection = false
}`
	config = fmt.Sprintf(config, firnOr("cluster"))
	path := "/v1/clusters/" + firnOr("cluster") + "/topics/quiet"
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					firn.change("PATCH", path, map[string]any{"configs": map[string]any{"retention.ms": "1000"}})
				},
				Config:           config,
				ConfigPlanChecks: applying(plancheck.ExpectEmptyPlan()),
			},
		},
	})
}

func TestWhatIsProtectedIsNotDestroyed(t *testing.T) {
	t.Parallel()
	config := `resource "firn_topic" "it" {
  cluster             = %q
  name                = %q
  partitions          = %d
  deletion_protection = %t
}`
	cluster := firnOr("cluster")
	protected := regexp.MustCompile(`The topic is protected from deletion`)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		Steps: []resource.TestStep{
			{Config: fmt.Sprintf(config, cluster, "kept", 2, true)},
			{Config: fmt.Sprintf(config, cluster, "kept", 2, true), Destroy: true, ExpectError: protected},
			{Config: fmt.Sprintf(config, cluster, "renamed", 2, true), ExpectError: protected},
			{Config: fmt.Sprintf(config, cluster, "kept", 1, true), ExpectError: regexp.MustCompile(`Partitions can only become more`)},
			{Config: fmt.Sprintf(config, cluster, "kept", 2, false)},
		},
	})
}

// A plan that would replace a protected cluster is refused, before anything in the cluster is destroyed.
func TestAProtectedClusterIsNotReplaced(t *testing.T) {
	t.Parallel()
	config := `resource "firn_cluster" "it" {
  project             = %q
  name                = "protected"
  slug                = %q
  deletion_protection = %t
}`
	project := firnOr("project")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		Steps: []resource.TestStep{
			{Config: fmt.Sprintf(config, project, "protected-once", true)},
			{
				Config:      fmt.Sprintf(config, project, "protected-twice", true),
				PlanOnly:    true,
				ExpectError: regexp.MustCompile(`The cluster is protected from deletion`),
			},
			{Config: fmt.Sprintf(config, project, "protected-once", false)},
		},
	})
}

// A config that is declared null, as modules do, is not declared.
func TestAConfigThatIsNullIsNoDrift(t *testing.T) {
	t.Parallel()
	config := fmt.Sprintf(`resource "firn_topic" "it" {
  cluster             = %q
  name                = "nothing"
  deletion_protection = false
  configs             = { "retention.ms" = "1000", "max.message.bytes" = null }
}`, firnOr("cluster"))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		// Each step is planned again afterwards, and has to be empty.
		Steps: []resource.TestStep{{Config: config}},
	})
}

func TestACL(t *testing.T) {
	t.Parallel()
	config := `resource "firn_acl" "it" {
  cluster       = %q
  principal     = "User:ada"
  resource_type = "topic"
  resource_name = "orders."
  pattern_type  = "prefixed"
  operation     = %q
}
resource "firn_acl" "more" {
  count         = 3
  cluster       = %[1]q
  principal     = "User:grace"
  resource_type = "group"
  resource_name = "shop"
  operation     = ["read", "describe", "delete"][count.index]
}`
	cluster := firnOr("cluster")
	path := "/v1/clusters/" + cluster + "/acls/"
	lifecycle{
		address:  "firn_acl.it",
		created:  fmt.Sprintf(config, cluster, "read"),
		first:    attributes{"operation": "read", "host": "*", "permission": "allow"},
		changed:  fmt.Sprintf(config, cluster, "alter_configs"),
		second:   attributes{"operation": "alter_configs"},
		replaced: true,
		importID: func(now attributes) string { return cluster + "/" + now["id"] },
		path:     byID(path),
		drift:    func(now attributes) { firn.must("DELETE", path+now["id"], nil, nil) },
		action:   plancheck.ResourceActionCreate,
	}.run(t)
}

func TestQuota(t *testing.T) {
	t.Parallel()
	config := `resource "firn_quota" "it" {
  cluster   = %q
  user      = "ada"
  client_id = "<default>"
  %s
}`
	cluster := firnOr("cluster")
	path := "/v1/clusters/" + cluster + "/quotas"
	lifecycle{
		address:  "firn_quota.it",
		created:  fmt.Sprintf(config, cluster, "producer_byte_rate = 1048576\n  request_percentage = 12.5"),
		first:    attributes{"producer_byte_rate": "1048576", "request_percentage": "12.5", "client_id": "<default>"},
		changed:  fmt.Sprintf(config, cluster, "consumer_byte_rate = 2097152"),
		second:   attributes{"consumer_byte_rate": "2097152"},
		importID: func(now attributes) string { return cluster + "/" + now["id"] },
		path:     byID(path + "/"),
		drift: func(attributes) {
			entity := map[string]any{"user": map[string]any{"name": "ada"}, "client_id": map[string]any{"default": true}}
			firn.must("PUT", path, map[string]any{"entity": entity, "quotas": map[string]any{"producer_byte_rate": 5}}, nil)
		},
		action: plancheck.ResourceActionUpdate,
	}.run(t)
}

func TestAQuotaOfNothingIsRefusedInThePlan(t *testing.T) {
	t.Parallel()
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		Steps: []resource.TestStep{{
			Config:      fmt.Sprintf("resource \"firn_quota\" \"it\" {\n  cluster = %q\n  user = \"ada\"\n}", firnOr("cluster")),
			PlanOnly:    true,
			ExpectError: regexp.MustCompile(`producer_byte_rate`),
		}},
	})
}

func TestScramCredential(t *testing.T) {
	t.Parallel()
	config := `resource "firn_service_account" "who" {
  project = %q
  name    = "with-a-password"
}
resource "firn_scram_credential" "it" {
  cluster             = %q
  service_account     = firn_service_account.who.id
  password_wo         = %q
  password_wo_version = %d
}`
	project, cluster := firnOr("project"), firnOr("cluster")
	path := "/v1/clusters/" + cluster + "/scram-credentials/"
	lifecycle{
		address:     "firn_scram_credential.it",
		created:     fmt.Sprintf(config, project, cluster, "the-first-password-of-it", 1),
		first:       attributes{"generated": "true", "mechanisms.#": "2"},
		changed:     fmt.Sprintf(config, project, cluster, "another-password-of-it", 2),
		second:      attributes{"password_wo_version": "2"},
		replaced:    true,
		importID:    func(now attributes) string { return cluster + "/" + now["id"] },
		path:        byID(path),
		notImported: []string{"password_wo_version"},
		drift:       func(now attributes) { firn.must("DELETE", path+now["id"], nil, nil) },
		action:      plancheck.ResourceActionCreate,
	}.run(t)
}
