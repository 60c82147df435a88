package checks_test

import (
	"path/filepath"
	"strings"
	"testing"
)

const aCell = `
zones                        = ["eu-central-1a", "eu-central-1b"]
zone_id                      = "Z0123456789"
api_domain                   = "firn.example.com"
kafka_domain                 = "kafka.example.com"
kafka_certificate_secret_arn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:kafka-certificate"
smtp_url_secret_arn          = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:smtp-url"
mail_from                    = "Firn <firn@example.com>"
bucket                       = "example-firn-records"
alarm_topic_arns             = ["arn:aws:sns:eu-central-1:000000000000:on-call"]
binary = {
  bucket = "example-programs"
  key    = "firn"
  sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
}
`

// cell is the module terraform/modules/aws, applied to the stand-in for the AWS provider.
type cell struct {
	state   string
	outputs outputs
}

type outputs struct {
	CloudConfigs struct{ Value roles } `json:"cloud_configs"`
	Policies     struct{ Value roles } `json:"policies"`
}

type roles struct{ Broker, Control string }

// stateFile is what Terraform keeps.
type stateFile struct {
	Resources []resource
}

type resource struct {
	Module    string
	Mode      string
	Type      string
	Name      string
	Instances []struct{ Attributes map[string]any }
}

func apply(t *testing.T, variables string) cell {
	t.Helper()
	tofu := program(t, "FIRN_TOFU")
	directory := copied(t, "terraform/modules/aws")
	write(t, filepath.Join(directory, "terraform.tfvars"), variables)
	run(t, directory, nil, tofu, "init", "-no-color")
	run(t, directory, nil, tofu, "apply", "-no-color", "-auto-approve")
	made := cell{state: read(t, filepath.Join(directory, "terraform.tfstate"))}
	made.outputs = parsed[outputs](t, run(t, directory, nil, tofu, "output", "-json"))
	return made
}

// One cell serves all tests that only look at it.
var theCell cell

func applied(t *testing.T) cell {
	t.Helper()
	if theCell.state == "" {
		theCell = apply(t, aCell)
	}
	return theCell
}

func TestACellIsMadeAndItsStateHoldsNoSecret(t *testing.T) {
	made := applied(t)
	resources := parsed[stateFile](t, made.state).Resources
	managed := 0
	for _, resource := range resources {
		if resource.Mode == "managed" {
			managed += len(resource.Instances)
		}
	}
	if managed < 80 {
		t.Errorf("only %d resources", managed)
	}
	// Every secret that the stand-in hands out begins so, and the master key is a digest of one.
	if strings.Contains(made.state, "stubsecret") {
		t.Error("a secret is in the state")
	}
	for _, name := range []string{"master_key", "database_password"} {
		version := only(t, name, instances(resources, "aws_secretsmanager_secret_version", name))
		if version["secret_string_wo"] != nil || version["secret_string"] != nil || version["secret_string_wo_version"] != 1.0 {
			t.Errorf("%s: %v", name, version)
		}
	}
}

func instances(resources []resource, kind, name string) (found []map[string]any) {
	for _, resource := range resources {
		if resource.Type == kind && (name == "" || resource.Name == name) && resource.Mode == "managed" {
			for _, instance := range resource.Instances {
				found = append(found, instance.Attributes)
			}
		}
	}
	return found
}

func TestWhatIsWrongIsRefusedWithASentence(t *testing.T) {
	tofu := program(t, "FIRN_TOFU")
	directory := copied(t, "terraform/modules/aws")
	write(t, filepath.Join(directory, "terraform.tfvars"), aCell)
	run(t, directory, nil, tofu, "init", "-no-color")
	for _, wrong := range [][2]string{
		{"name=Firn", "name must be 3 to 20 lower-case letters"},
		{"api_domain=api.kafka.example.com", "api_domain must not lie in kafka_domain"},
		{"kafka_domain=Kafka", "kafka_domain must be a domain in lower case"},
		{"kafka_certificate_secret_arn=-----BEGIN CERTIFICATE-----", "never the certificate itself"},
		{"smtp_url_secret_arn=smtps://user:password@mail.example.com", "never the URL itself"},
		{"bucket=dots.break.tls", "a dot in it would break TLS"},
		{`broker={"settings":{"smtp-url":"smtp://mail"}}`, "are set on the machine"},
		{`database={"backup_retention_days":0}`, "cannot be restored"},
	} {
		output, code := try(t, directory, nil, tofu, "plan", "-no-color", "-var", wrong[0])
		// Sentences are broken into lines.
		if code == 0 || !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(output, "│", "")), " "), wrong[1]) {
			t.Errorf("%s: exit code %d, and %q is expected:\n%s", wrong[0], code, wrong[1], output)
		}
	}
}

func TestObjectsOutliveBackupsOfTheCatalog(t *testing.T) {
	made := apply(t, aCell+"database = { backup_retention_days = 30 }\n")
	if toml := writtenFile(t, made.outputs.CloudConfigs.Value.Broker, "/etc/firn/firn.toml"); !strings.Contains(toml, `gc-grace = "31d"`) {
		t.Error(toml)
	}
}

func TestTheControlPlaneHasNoBusinessInTheBucketOfRecords(t *testing.T) {
	policies := applied(t).outputs.Policies.Value
	if strings.Contains(policies.Control, "example-firn-records") || !strings.Contains(policies.Broker, "example-firn-records") {
		t.Errorf("%+v", policies)
	}
}
