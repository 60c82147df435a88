package acceptance

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

func TestProject(t *testing.T) {
	t.Parallel()
	config := `resource "firn_project" "it" { name = %q }`
	lifecycle{
		address:  "firn_project.it",
		created:  fmt.Sprintf(config, "billing"),
		first:    attributes{"name": "billing", "organization": firnOr("organization")},
		changed:  fmt.Sprintf(config, "billing and more"),
		second:   attributes{"name": "billing and more"},
		importID: byID(""),
		path:     byID("/v1/projects/"),
		drift: func(now attributes) {
			firn.change("PATCH", "/v1/projects/"+now["id"], map[string]any{"name": "somebody's"})
		},
		action: plancheck.ResourceActionUpdate,
	}.run(t)
}

// firnOr is empty where no service runs: then the tests are skipped.
func firnOr(what string) string {
	if firn == nil {
		return ""
	}
	return map[string]string{"organization": firn.organization, "project": firn.project, "cluster": firn.cluster}[what]
}

func TestServiceAccount(t *testing.T) {
	t.Parallel()
	config := `resource "firn_service_account" "it" {
  project     = %q
  name        = %q
  description = %q
}`
	project := firnOr("project")
	lifecycle{
		address:  "firn_service_account.it",
		created:  fmt.Sprintf(config, project, "shop", "takes orders"),
		first:    attributes{"name": "shop", "description": "takes orders"},
		changed:  fmt.Sprintf(config, project, "shop-2", ""),
		second:   attributes{"name": "shop-2", "description": ""},
		importID: byID(""),
		path:     byID("/v1/service-accounts/"),
		drift:    func(now attributes) { firn.must("DELETE", "/v1/service-accounts/"+now["id"], nil, nil) },
		action:   plancheck.ResourceActionCreate,
	}.run(t)
}

func TestRoleBinding(t *testing.T) {
	t.Parallel()
	config := `resource "firn_service_account" "who" {
  project = %[1]q
  name    = "bound"
}
resource "firn_role_binding" "it" {
  principal = firn_service_account.who.id
  role      = %[2]q
  scope     = %[1]q
}`
	project := firnOr("project")
	path := "/v1/organizations/" + firnOr("organization") + "/role-bindings/"
	lifecycle{
		address:  "firn_role_binding.it",
		created:  fmt.Sprintf(config, project, "developer"),
		first:    attributes{"role": "developer", "scope": project},
		changed:  fmt.Sprintf(config, project, "viewer"),
		second:   attributes{"role": "viewer"},
		importID: func(now attributes) string { return now["organization"] + "/" + now["id"] },
		path:     byID(path),
		drift:    func(now attributes) { firn.change("PATCH", path+now["id"], map[string]any{"role": "admin"}) },
		action:   plancheck.ResourceActionUpdate,
	}.run(t)
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	config := `resource "firn_invitation" "it" {
  email = "grace@example.com"
  role  = %q
}`
	path := "/v1/organizations/" + firnOr("organization") + "/invitations"
	lifecycle{
		address:  "firn_invitation.it",
		created:  fmt.Sprintf(config, "viewer"),
		first:    attributes{"status": "pending", "role": "viewer"},
		changed:  fmt.Sprintf(config, "developer"),
		second:   attributes{"role": "developer"},
		replaced: true,
		importID: func(now attributes) string { return now["organization"] + "/" + now["id"] },
		path:     func(attributes) string { return path },
		drift:    func(now attributes) { firn.must("DELETE", path+"/"+now["id"], nil, nil) },
		action:   plancheck.ResourceActionCreate,
	}.run(t)
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	config := `resource "firn_service_account" "who" {
  project = %q
  name    = "with-a-key"
}
resource "firn_api_key" "it" {
  service_account   = firn_service_account.who.id
  name              = "ci"
  expires_at        = "2090-01-01T00:00:00Z"
  secret_wo         = %q
  secret_wo_version = %d
}`
	project := firnOr("project")
	lifecycle{
		address:     "firn_api_key.it",
		created:     fmt.Sprintf(config, project, firstSecret, 1),
		first:       attributes{"name": "ci", "expires_at": "2090-01-01T00:00:00Z"},
		changed:     fmt.Sprintf(config, project, secondSecret, 2),
		second:      attributes{"secret_wo_version": "2"},
		replaced:    true,
		importID:    byID(""),
		path:        byID("/v1/api-keys/"),
		notImported: []string{"secret_wo_version"},
		drift:       func(now attributes) { firn.must("DELETE", "/v1/api-keys/"+now["id"], nil, nil) },
		action:      plancheck.ResourceActionCreate,
	}.run(t)
}

const (
	firstSecret  = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"
	secondSecret = "zyxwvutsrqponmlkjihgfedcba765432zyxwvutsrqponmlkjihg"
)
