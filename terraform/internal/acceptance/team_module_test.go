package acceptance

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const teamModule = `
module "shop" {
  source = %q

  name    = "shop"
  cluster = { deletion_protection = false }
  topics = {
    orders   = { partitions = 3, configs = { "retention.ms" = "604800000" }, deletion_protection = false }
    invoices = { deletion_protection = false }
  }
  programs = {
    checkout = { produces = ["orders"], transactional = true, password_versions = %s }
    billing  = { consumes = ["ord*"], produces = ["invoices"], password_versions = [1], quota = { consumer_byte_rate = 1048576 } }
  }
  passwords     = { checkout = { 1 = var.password, 2 = var.next_password }, billing = { 1 = var.password } }
  default_quota = { producer_byte_rate = 10485760 }
}

variable "password" {
  type      = string
  ephemeral = true
}

variable "next_password" {
  type      = string
  ephemeral = true
}

output "bootstrap" { value = module.shop.bootstrap_servers }
output "cluster" { value = module.shop.cluster_id }
output "checkout_principal" { value = module.shop.programs["checkout"].principal }
output "billing_principal" { value = module.shop.programs["billing"].principal }
output "checkout" { value = one([for version, name in module.shop.programs["checkout"].usernames : name if version == "1"]) }
output "checkout_next" { value = one([for version, name in module.shop.programs["checkout"].usernames : name if version == "2"]) }
output "billing" { value = module.shop.programs["billing"].usernames["1"] }
`

// terraform/modules/team for real: applied, streamed through by programs that may do what they were given and nothing else, destroyed.
func TestATeamIsOnboarded(t *testing.T) {
	t.Parallel()
	const password, next = "Onboarded/7+metres=a.year", "Moved-on/8+metres=a.year"
	module, err := filepath.Abs("../../modules/team")
	if err != nil {
		t.Fatal(err)
	}
	c := newCLI(t, fmt.Sprintf(teamModule, module, "[1]"), "TF_VAR_password="+password, "TF_VAR_next_password="+next)
	// The provider is the one that was built, so only the module is to be installed.
	c.run("get")
	c.run("apply", "-auto-approve")
	c.keepsNone(map[string]string{"password": password, "API key": firn.key})
	if output, code := c.try("plan", "-detailed-exitcode"); code != 0 {
		t.Errorf("the plan is not empty:\n%s", output)
	}

	c.write("ca.pem", firn.must("GET", "/v1/certificate-authority", nil, nil).raw)
	kcat := func(program, input string, arguments ...string) (string, error) {
		return kcat(c, program, password, input, arguments...)
	}
	if output, err := kcat("checkout", "an order\n", "-P", "-t", "orders", "-X", "message.timeout.ms=20000"); err != nil {
		t.Fatalf("checkout cannot produce: %v\n%s", err, output)
	}
	group := []string{"-q", "-c", "1", "-X", "auto.offset.reset=earliest", "-G"}
	if output, err := kcat("billing", "", append(group, "billing-nightly", "orders")...); err != nil || output != "an order" {
		t.Fatalf("billing cannot consume: %v\n%s", err, output)
	}
	for _, asked := range []struct {
		program, operation, kind, name string
		allowed                        bool
	}{
		{"checkout", "write", "topic", "orders", true},
		{"checkout", "write", "transactional_id", "checkout-7", true},
		{"checkout", "read", "topic", "orders", false},
		{"checkout", "write", "topic", "invoices", false},
		{"billing", "read", "group", "billing-nightly", true},
		{"billing", "read", "group", "checkout", false},
		{"billing", "write", "topic", "orders", false},
		{"billing", "write", "transactional_id", "billing-7", false},
		{"billing", "alter_configs", "topic", "invoices", false},
	} {
		answer := firn.must("POST", "/v1/clusters/"+c.output("cluster")+"/access:explain", map[string]any{
			"principal": c.output(asked.program + "_principal"), "operation": asked.operation,
			"resource_type": asked.kind, "resource_name": asked.name,
		}, nil)
		if answer.body["allowed"] != asked.allowed {
			t.Errorf("%+v: %s", asked, answer)
		}
	}

	cluster := c.output("cluster")
	changesPassword(t, c, module, password, next)

	c.run("destroy", "-auto-approve")
	// The service keeps the project for as long as the cluster can be brought back.
	if cluster := firn.must("GET", "/v1/clusters/"+cluster, nil, nil); cluster.body["state"] != "deleting" {
		t.Errorf("the cluster is still there: %s", cluster)
	}
}

// changesPassword is done without a gap: both hold, and then the first no longer does.
func changesPassword(t *testing.T, c *cli, module, password, next string) {
	t.Helper()
	order := []string{"-P", "-t", "orders", "-X", "message.timeout.ms=20000"}
	c.write("main.tf", fmt.Sprintf(teamModule, module, "[1, 2]"))
	c.run("apply", "-auto-approve")
	c.keepsNone(map[string]string{"password": password, "next password": next})
	for program, password := range map[string]string{"checkout": password, "checkout_next": next} {
		if output, err := kcat(c, program, password, "another order\n", order...); err != nil {
			t.Errorf("the password of %s does not hold: %v\n%s", program, err, output)
		}
	}
	first := c.output("checkout")
	c.write("main.tf", fmt.Sprintf(teamModule, module, "[2]"))
	c.run("apply", "-auto-approve")
	if output, err := kcat(c, "checkout_next", next, "another order\n", order...); err != nil {
		t.Errorf("the next password does not hold alone: %v\n%s", err, output)
	}
	credentials := firn.must("GET", "/v1/clusters/"+c.output("cluster")+"/scram-credentials", nil, nil)
	if strings.Contains(credentials.raw, first) {
		t.Errorf("the first credential is not revoked: %s", credentials)
	}
}

// kcat is run as a program of the team.
func kcat(c *cli, program, password, input string, arguments ...string) (string, error) {
	command := exec.Command("kcat", append([]string{
		"-b", c.output("bootstrap"), "-X", "security.protocol=SASL_SSL", "-X", "sasl.mechanism=SCRAM-SHA-512",
		"-X", "sasl.username=" + c.output(program), "-X", "sasl.password=" + password,
		"-X", "ssl.ca.location=" + filepath.Join(c.folder, "ca.pem"),
	}, arguments...)...)
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	return strings.TrimSpace(string(output)), err
}
