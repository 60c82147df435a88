package acceptance

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/firn-stream/terraform-provider-firn/internal/provider"
)

var factories = map[string]func() (tfprotov6.ProviderServer, error){
	"firn": providerserver.NewProtocol6WithError(provider.New("test")()),
}

// Write-only attributes are from 1.11.
var versions = []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_11_0)}

// attributes of a resource in the state.
type attributes map[string]string

// lifecycle is what every resource goes through: create, an empty plan, import, change, repair of what others did, and the end.
type lifecycle struct {
	address string
	// created and changed are the configurations, each with what has to be in the state then.
	created, changed string
	first, second    attributes
	// importID and path are made of the attributes.
	importID, path func(attributes) string
	// identifier is the attribute by which an imported resource is found again; `id` if it is empty.
	identifier string
	// notImported are attributes that an import cannot know.
	notImported []string
	// drift changes the resource behind Terraform's back; action is what the plan does about it.
	drift  func(now attributes)
	action plancheck.ResourceActionType
	// replaced tells that the change makes another resource.
	replaced bool
	// unprotected is a last configuration that allows the end.
	unprotected string
}

func (l lifecycle) run(t *testing.T) {
	t.Helper()
	now := attributes{}
	remember := func(state *terraform.State) error {
		found, ok := state.RootModule().Resources[l.address]
		if !ok {
			return fmt.Errorf("%s is not in the state", l.address)
		}
		clear(now)
		for name, value := range found.Primary.Attributes {
			now[name] = value
		}
		return nil
	}
	changes := plancheck.ResourceActionUpdate
	if l.replaced {
		changes = plancheck.ResourceActionReplace
	}
	identifier := l.identifier
	if identifier == "" {
		identifier = "id"
	}
	steps := []resource.TestStep{
		{Config: l.created, Check: resource.ComposeAggregateTestCheckFunc(remember, holds(l.address, l.first))},
		{
			ResourceName:                         l.address,
			ImportState:                          true,
			ImportStateVerify:                    true,
			ImportStateVerifyIdentifierAttribute: identifier,
			ImportStateVerifyIgnore:              append(l.notImported, "timeouts"),
			ImportStateIdFunc:                    func(*terraform.State) (string, error) { return l.importID(now), nil },
		},
		{
			Config:           l.changed,
			ConfigPlanChecks: applying(plancheck.ExpectResourceAction(l.address, changes)),
			Check:            resource.ComposeAggregateTestCheckFunc(remember, holds(l.address, l.second)),
		},
		{
			PreConfig:        func() { l.drift(now) },
			Config:           l.changed,
			ConfigPlanChecks: applying(plancheck.ExpectResourceAction(l.address, l.action)),
			Check:            resource.ComposeAggregateTestCheckFunc(remember, holds(l.address, l.second)),
		},
	}
	if l.unprotected != "" {
		steps = append(steps, resource.TestStep{Config: l.unprotected, Check: remember})
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   versions,
		Steps:                    steps,
		CheckDestroy: func(*terraform.State) error {
			answer := firn.ask("GET", l.path(now), nil, nil)
			gone := answer.status == http.StatusNotFound || strings.Contains(answer.raw, `"deleting"`)
			if !gone && !strings.Contains(l.path(now), "/invitations") {
				return fmt.Errorf("%s is still there: %s", l.address, answer)
			}
			if strings.Contains(answer.raw, now["id"]) && !gone {
				return fmt.Errorf("%s is still listed: %s", l.address, answer)
			}
			return nil
		},
	})
}

func applying(checks ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: checks}
}

func holds(address string, wanted attributes) resource.TestCheckFunc {
	var checks []resource.TestCheckFunc
	for name, value := range wanted {
		checks = append(checks, resource.TestCheckResourceAttr(address, name, value))
	}
	return resource.ComposeAggregateTestCheckFunc(checks...)
}

// byID is the import id, or the path, of what its own id identifies.
func byID(prefix string) func(attributes) string {
	return func(now attributes) string { return prefix + now["id"] }
}
