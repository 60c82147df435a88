package checks_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// settings are the names of all settings there are, read from the table that firn itself is made of.
func settings(t *testing.T) map[string]bool {
	t.Helper()
	table := read(t, filepath.Join(repository, "src/config/table.rs"))
	names := map[string]bool{}
	for _, found := range regexp.MustCompile(`setting\(\s*"([a-z-]+)",\s*Kind::`).FindAllStringSubmatch(table, -1) {
		names[found[1]] = true
	}
	// The one that is a constant there.
	names[regexp.MustCompile(`KAFKA_CONFIG: &str = "([a-z-]+)"`).FindStringSubmatch(table)[1]] = true
	if len(names) < 40 || !names["cell-domain"] {
		t.Fatalf("the table is read wrongly: %v", names)
	}
	return names
}

func variable(setting string) string {
	return "FIRN_" + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// settingOf is the setting that an environment variable sets.
func settingOf(t *testing.T, name string) string {
	t.Helper()
	for setting := range settings(t) {
		if variable(setting) == name {
			return setting
		}
	}
	return ""
}

// row is a line of `firn config --json`.
type row struct{ Setting, Value, Origin, Standing string }

// accepted asks firn itself whether a configuration is one, and answers with what it makes of it.
func accepted(t *testing.T, environment []string, arguments ...string) map[string]row {
	t.Helper()
	printed := run(t, t.TempDir(), environment, program(t, "FIRN_BINARY"), append([]string{"config", "--json"}, arguments...)...)
	rows := map[string]row{}
	for _, row := range parsed[[]row](t, printed) {
		rows[row.Setting] = row
	}
	return rows
}

type cloudConfig struct {
	WriteFiles []struct{ Path, Content, Permissions string } `json:"write_files"`
	RunCmd     [][]string
}

func writtenFile(t *testing.T, config, path string) string {
	t.Helper()
	first, rest, _ := strings.Cut(config, "\n")
	if first != "#cloud-config" {
		t.Fatalf("cloud-init does not take %q", first)
	}
	for _, file := range parsed[cloudConfig](t, rest).WriteFiles {
		if file.Path == path {
			return file.Content
		}
	}
	t.Fatalf("%s is not written", path)
	return ""
}

// What stands in for AWS on a machine: secrets by name, and the metadata service.
const awsCommand = `#!/bin/sh
[ "$1 $2" = "secretsmanager get-secret-value" ] || exit 64
[ ! -e "$BROKEN" ] || exit 255
case "$6" in
*kafka-certificate) printf '%s\n' '{"certificate": "CERTIFICATE\nCHAIN", "private_key": "KEY"}' ;;
*smtp-url) echo 'smtps://mailer:a%26b@mail.example.com' ;;
*password) echo 's3cretPassw0rd' ;;
*) echo '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef' ;;
esac
`

const curlCommand = `#!/bin/sh
case "$*" in
*latest/api/token) echo TOKEN ;;
*"X-aws-ec2-metadata-token: TOKEN"*latest/meta-data/local-ipv4) printf 10.20.64.7 ;;
*) exit 22 ;;
esac
`

const jqCommand = `#!/bin/sh
exec python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1][1:]])' "$2"
`

// machine runs a machine's script of secrets in a directory of the test.
type machine struct {
	directory string
	broken    string
	script    string
	commands  string
}

func newMachine(t *testing.T, config string) machine {
	t.Helper()
	scratch := t.TempDir()
	made := machine{filepath.Join(scratch, "run"), filepath.Join(scratch, "broken"), filepath.Join(scratch, "firn-secrets"), filepath.Join(scratch, "bin")}
	for _, directory := range []string{made.directory, made.commands} {
		if err := os.Mkdir(directory, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// Which secret is which, the stand-in for AWS tells by the name.
	script := writtenFile(t, config, "/usr/local/sbin/firn-secrets")
	script = regexp.MustCompile(`password=\$\(secret '.*'\)`).ReplaceAllString(script, "password=$$(secret 'password')")
	write(t, made.script, script)
	for name, text := range map[string]string{"aws": awsCommand, "curl": curlCommand, "jq": jqCommand} {
		write(t, filepath.Join(made.commands, name), text)
		if err := os.Chmod(filepath.Join(made.commands, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

func (m machine) secrets(t *testing.T, arguments ...string) int {
	t.Helper()
	owner := strings.TrimSpace(run(t, ".", nil, "id", "-u"))
	output, code := try(t, ".", []string{
		"PATH=" + m.commands + ":" + os.Getenv("PATH"), "FIRN_RUNTIME=" + m.directory, "FIRN_OWNER=" + owner, "BROKEN=" + m.broken,
	}, "bash", append([]string{m.script}, arguments...)...)
	t.Log(output)
	return code
}

func TestMachinesStartFirnWithSettingsThatItTakes(t *testing.T) {
	known := settings(t)
	configs := applied(t).outputs.CloudConfigs.Value
	for role, config := range map[string]string{"broker": configs.Broker, "control": configs.Control} {
		toml := writtenFile(t, config, "/etc/firn/firn.toml")
		for _, line := range strings.Split(strings.TrimSpace(toml), "\n") {
			key, _, _ := strings.Cut(line, " = ")
			if !known[strings.Replace(key, "kafka-address", "kafka", 1)] {
				t.Errorf("%s: firn has no setting %s", role, key)
			}
		}
		machine := newMachine(t, config)
		if code := machine.secrets(t); code != 0 {
			t.Fatalf("%s: firn-secrets: exit code %d", role, code)
		}
		path := filepath.Join(machine.directory, "firn.toml")
		write(t, path, toml)
		environment := strings.Fields(read(t, filepath.Join(machine.directory, "environment")))
		for _, pair := range environment {
			if name, _, _ := strings.Cut(pair, "="); settingOf(t, name) == "" {
				t.Errorf("%s: firn reads no variable %s", role, name)
			}
		}
		rows := accepted(t, environment, "--config", path)
		if got := rows["catalog"].Value; got != "postgres://firn:***@stub-address:5432/firn?sslmode=***&sslrootcert=***" {
			t.Errorf("%s: catalog %s", role, got)
		}
		needed := map[string][]string{
			"broker":  {"store", "kafka", "advertise", "internal", "internal-advertise", "tls-cert", "tls-key", "master-key", "cell-domain"},
			"control": {"advertise", "smtp-url", "public-url", "trusted-proxies", "master-key", "cell-domain", "http"},
		}[role]
		for _, setting := range needed {
			if rows[setting].Origin == "default" {
				t.Errorf("%s: %s is not set", role, setting)
			}
		}
		unit := writtenFile(t, config, "/etc/systemd/system/firn.service")
		if !strings.Contains(unit, "\nExecStart=/usr/local/bin/firn "+role+" --config /etc/firn/firn.toml\n") {
			t.Errorf("%s: the unit starts something else:\n%s", role, unit)
		}
		if help := run(t, ".", nil, program(t, "FIRN_BINARY"), role, "--help"); !strings.Contains(help, "--config <FILE>") {
			t.Errorf("firn %s has no --config", role)
		}
		for _, script := range []string{"/usr/local/sbin/firn-install", "/usr/local/sbin/firn-secrets"} {
			path := filepath.Join(t.TempDir(), "script")
			write(t, path, writtenFile(t, config, script))
			run(t, ".", nil, "bash", "-n", path)
		}
	}
}

func TestSecretsArePutWhereTheServiceAloneReadsThem(t *testing.T) {
	machine := newMachine(t, applied(t).outputs.CloudConfigs.Value.Broker)
	if code := machine.secrets(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	for name, expected := range map[string]string{
		"master.key":  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
		"tls.crt":     "CERTIFICATE\nCHAIN\n",
		"tls.key":     "KEY\n",
		"environment": "FIRN_CATALOG=postgres://firn:s3cretPassw0rd@stub-address:5432/firn?sslmode=verify-full&sslrootcert=/etc/firn/rds-ca.pem\nFIRN_INTERNAL_ADVERTISE=10.20.64.7\n",
	} {
		path := filepath.Join(machine.directory, name)
		if text := read(t, path); text != expected {
			t.Errorf("%s: %q", name, text)
		}
		if status, err := os.Stat(path); err != nil || status.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, status.Mode(), err)
		}
	}

	// Secrets Manager is away: nothing of what is there gets lost.
	write(t, machine.broken, "")
	if code := machine.secrets(t); code == 0 {
		t.Error("it says that all is well")
	}
	if text := read(t, filepath.Join(machine.directory, "tls.key")); text != "KEY\n" {
		t.Errorf("tls.key: %q", text)
	}
	entries, err := os.ReadDir(machine.directory)
	if err != nil || len(entries) != 4 {
		t.Errorf("%v %v", entries, err)
	}
}

func TestARenewedCertificateIsPutInPlaceAlone(t *testing.T) {
	machine := newMachine(t, applied(t).outputs.CloudConfigs.Value.Broker)
	if code := machine.secrets(t, "certificate"); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	entries, err := os.ReadDir(machine.directory)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if !slices.Equal(names, []string{"tls.crt", "tls.key"}) {
		t.Error(names)
	}
}
