package acceptance

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

var refused = regexp.MustCompile(`(?s)configs = .*/configs/retention\.ms`)

// nobody is a request without a credential.
var nobody = http.Header{"Cookie": {"none"}}

func TestAnImportedCredentialKeepsItsSecret(t *testing.T) {
	t.Parallel()
	if firn == nil {
		t.Skip("TF_ACC is not set")
	}
	account := firn.must("POST", "/v1/service-accounts", map[string]any{"project": firn.project, "name": "older"}, nil).text("id")
	key := firn.must("POST", "/v1/api-keys", map[string]any{"service_account": account, "name": "older"}, nil)
	config := fmt.Sprintf(`
import {
  to = firn_api_key.it
  id = %q
}
resource "firn_api_key" "it" {
  service_account   = %q
  name              = "older"
  secret_wo         = %q
  secret_wo_version = 1
}`, key.text("id"), account, firstSecret)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		Steps: []resource.TestStep{{
			Config:           config,
			ConfigPlanChecks: applying(plancheck.ExpectResourceAction("firn_api_key.it", plancheck.ResourceActionUpdate)),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr("firn_api_key.it", "id", key.text("id")),
				resource.TestCheckResourceAttr("firn_api_key.it", "secret_wo_version", "1"),
			),
		}},
	})
}

func TestAnAcceptedInvitationIsNotSentAgain(t *testing.T) {
	t.Parallel()
	const email = "mary@example.com"
	config := fmt.Sprintf(`resource "firn_invitation" "it" {
  email = %q
  role  = "viewer"
}`, email)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		Steps: []resource.TestStep{
			{Config: config, Check: resource.TestCheckResourceAttr("firn_invitation.it", "status", "pending")},
			{
				PreConfig: func() {
					firn.must("POST", "/v1/invitations/accept", map[string]any{
						"token": firn.mailed(email, "/v1/invitations/accept"), "name": "Mary Somerville", "password": personsPassword,
					}, nobody)
				},
				Config:           config,
				ConfigPlanChecks: applying(plancheck.ExpectEmptyPlan()),
				Check:            resource.TestCheckResourceAttr("firn_invitation.it", "status", "accepted"),
			},
		},
	})
}

// A value that the service refuses is shown at the attribute, with the request that was refused.
func TestWhatIsRefusedSaysWhere(t *testing.T) {
	t.Parallel()
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		Steps: []resource.TestStep{
			{
				Config: fmt.Sprintf(`resource "firn_topic" "it" {
  cluster = %q
  name    = "refused"
  configs = { "retention.ms" = "soon" }
}`, firnOr("cluster")),
				ExpectError: refused,
			},
		},
	})
}
