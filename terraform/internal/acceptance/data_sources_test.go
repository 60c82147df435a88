package acceptance

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// Each data source shows what the resource has, however it is found.
func TestDataSources(t *testing.T) {
	t.Parallel()
	config := fmt.Sprintf(`
data "firn_organization" "it" {}
resource "firn_project" "it" { name = "shown" }
data "firn_project" "it" { name = firn_project.it.name }
resource "firn_cluster" "it" {
  project             = firn_project.it.id
  name                = "shown"
  deletion_protection = false
}
data "firn_cluster" "it" {
  project = firn_cluster.it.project
  name    = firn_cluster.it.name
}
resource "firn_topic" "it" {
  cluster             = firn_cluster.it.id
  name                = "shown"
  configs             = { "retention.ms" = "60000" }
  deletion_protection = false
}
data "firn_topic" "it" {
  cluster = firn_cluster.it.id
  name    = firn_topic.it.name
}
resource "firn_service_account" "it" {
  project = firn_project.it.id
  name    = "shown"
}
data "firn_service_account" "it" {
  project = firn_project.it.id
  name    = firn_service_account.it.name
}
resource "firn_role_binding" "it" {
  principal = firn_service_account.it.id
  role      = "viewer"
  scope     = firn_cluster.it.id
}
data "firn_role_binding" "it" {
  organization = data.firn_organization.it.id
  id           = firn_role_binding.it.id
}
resource "firn_acl" "it" {
  cluster       = firn_cluster.it.id
  principal     = firn_service_account.it.principal
  resource_type = "topic"
  resource_name = "*"
  operation     = "read"
}
data "firn_acl" "it" {
  cluster = firn_cluster.it.id
  id      = firn_acl.it.id
}
resource "firn_quota" "it" {
  cluster            = firn_cluster.it.id
  ip                 = "10.0.0.7"
  connection_creation_rate = 5
}
data "firn_quota" "it" {
  cluster = firn_quota.it.cluster
  ip      = firn_quota.it.ip
}
resource "firn_ca_pool" "it" {
  cluster      = firn_cluster.it.id
  name         = "shown"
  certificates = [%q]
}
data "firn_ca_pool" "it" {
  cluster = firn_cluster.it.id
  name    = firn_ca_pool.it.name
}
resource "firn_identity_provider" "it" {
  cluster   = firn_cluster.it.id
  name      = "shown"
  issuer    = %q
  audiences = ["kafka"]
}
data "firn_identity_provider" "it" {
  cluster = firn_cluster.it.id
  name    = firn_identity_provider.it.name
}
resource "firn_invitation" "it" {
  email = "Shown@example.com"
  role  = "viewer"
}
data "firn_invitation" "it" {
  organization = firn_invitation.it.organization
  email        = firn_invitation.it.email
}
resource "firn_api_key" "it" {
  service_account   = firn_service_account.it.id
  secret_wo         = %q
  secret_wo_version = 1
}
data "firn_api_key" "it" { id = firn_api_key.it.id }
resource "firn_scram_credential" "it" {
  cluster             = firn_cluster.it.id
  service_account     = firn_service_account.it.id
  password_wo         = "Shown-to-nobody-7"
  password_wo_version = 1
}
data "firn_scram_credential" "it" {
  cluster = firn_cluster.it.id
  id      = firn_scram_credential.it.id
}
`, authority(t, "shown"), issuer(t), firstSecret)
	same := func(kind string, names ...string) resource.TestCheckFunc {
		var checks []resource.TestCheckFunc
		for _, name := range names {
			checks = append(checks, resource.TestCheckResourceAttrPair("data."+kind+".it", name, kind+".it", name))
		}
		return resource.ComposeAggregateTestCheckFunc(checks...)
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		Steps: []resource.TestStep{{
			Config: config,
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr("data.firn_organization.it", "id", firnOr("organization")),
				same("firn_project", "id", "organization"),
				same("firn_cluster", "id", "slug", "bootstrap", "limits.topics", "kafka_cluster_id"),
				same("firn_topic", "topic_id", "partitions", "configs.retention.ms"),
				same("firn_service_account", "id", "principal"),
				same("firn_role_binding", "role", "scope"),
				same("firn_acl", "principal", "operation", "pattern_type"),
				same("firn_quota", "id", "connection_creation_rate"),
				same("firn_ca_pool", "id", "mapping.source"),
				same("firn_identity_provider", "id", "issuer", "mapping_rules"),
				same("firn_invitation", "id", "role", "status"),
				same("firn_api_key", "name", "service_account"),
				same("firn_scram_credential", "username", "mechanisms.#"),
			),
		}},
	})
}
