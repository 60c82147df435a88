package acceptance

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
	"testing"
)

const withSecrets = `
terraform {
  required_providers {
    firn = { source = "firn/firn" }
  }
}
variable "key" {
  type      = string
  ephemeral = true
}
variable "secret" {
  type      = string
  ephemeral = true
}
variable "password" {
  type      = string
  ephemeral = true
}
variable "project" { type = string }
variable "cluster" { type = string }

provider "firn" {
  api_key = var.key
}
ephemeral "firn_token" "short" {}
provider "firn" {
  alias   = "short"
  api_key = ephemeral.firn_token.short.access_token
}
data "firn_organization" "by_token" {
  provider = firn.short
}

resource "firn_service_account" "it" {
  project = var.project
  name    = "keeper of secrets"
}
resource "firn_role_binding" "it" {
  principal = firn_service_account.it.id
  role      = "viewer"
  scope     = var.project
}
resource "firn_api_key" "given" {
  service_account   = firn_service_account.it.id
  secret_wo         = var.secret
  secret_wo_version = 1
}
ephemeral "firn_api_key_secret" "made" {}
resource "firn_api_key" "made" {
  service_account   = firn_service_account.it.id
  secret_wo         = ephemeral.firn_api_key_secret.made.result
  secret_wo_version = 1
}
resource "firn_scram_credential" "given" {
  cluster             = var.cluster
  service_account     = firn_service_account.it.id
  password_wo         = var.password
  password_wo_version = 1
}
ephemeral "firn_password" "made" {}
resource "firn_scram_credential" "made" {
  cluster             = var.cluster
  service_account     = firn_service_account.it.id
  password_wo         = ephemeral.firn_password.made.result
  password_wo_version = 1
}
output "key_id" { value = firn_api_key.given.id }
output "organization" { value = data.firn_organization.by_token.id }
output "properties" { value = provider::firn::client_properties("kafka.example:9092", "SCRAM-SHA-512", "checkout", "no secret") }
`

func TestNoSecretIsInTheStateOrInThePlan(t *testing.T) {
	t.Parallel()
	const password = "a-Password-that-1-Can-Find"
	c := newCLI(t, withSecrets, "TF_VAR_key="+firn.key, "TF_VAR_secret="+firstSecret, "TF_VAR_password="+password,
		"TF_VAR_project="+firn.project, "TF_VAR_cluster="+firn.cluster, "FIRN_API_KEY=")
	c.run("plan", "-out=first.tfplan")
	c.run("apply", "first.tfplan")
	secrets := map[string]string{
		"provider's API key": firn.key, "secret of a key": firstSecret, "whole key": "firn_live_", "password": password, "token": "eyJ",
	}
	c.keepsNone(secrets)
	c.run("plan", "-detailed-exitcode", "-out=second.tfplan")
	c.keepsNone(secrets)
	if organization := c.output("organization"); organization != firn.organization {
		t.Errorf("the token is for %q", organization)
	}
	if properties := c.output("properties"); !strings.Contains(properties, "bootstrap.servers=kafka.example:9092\n") ||
		!strings.Contains(properties, `username="checkout" password="no secret"`) {
		t.Errorf("the client's properties are\n%s", properties)
	}
	// The key that was put together here is the one that the service knows.
	id := strings.TrimPrefix(c.output("key_id"), "key_")
	whole := "firn_live_" + id + "_" + firstSecret
	whole = fmt.Sprintf("%s_%08x", whole, crc32.ChecksumIEEE([]byte(whole)))
	answer := firn.ask("GET", "/v1/projects", nil, http.Header{"Cookie": {"none"}, "Authorization": {"Bearer " + whole}})
	if answer.status != http.StatusOK {
		t.Errorf("the key was answered %s", answer)
	}
	c.run("destroy", "-auto-approve")
}
