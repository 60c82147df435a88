package checks_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// started is a firn that serves, with the files of a machine.
type started struct {
	process *exec.Cmd
	http    string
}

var ready = regexp.MustCompile(`^ready .*\bhttp=(\S+)$`)

// start runs firn as the unit of a machine does. Only what a test's machine has elsewhere is said by flags: places, and ports.
func start(t *testing.T, role string, m machine, toml string, elsewhere ...string) started {
	t.Helper()
	config := filepath.Join(t.TempDir(), "firn.toml")
	write(t, config, toml)
	process := exec.Command(program(t, "FIRN_BINARY"), append([]string{
		role, "--config", config, "--data-dir", t.TempDir(), "--http", "127.0.0.1:0", "--master-key", filepath.Join(m.directory, "master.key"),
	}, elsewhere...)...)
	process.Env = append(strings.Fields(read(t, filepath.Join(m.directory, "environment"))), "PATH="+os.Getenv("PATH"))
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log := new(strings.Builder)
	process.Stderr = log
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill() })
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if found := ready.FindStringSubmatch(lines.Text()); found != nil {
			return started{process, found[1]}
		}
	}
	_ = process.Wait()
	t.Fatalf("firn %s does not serve:\n%s", role, log)
	return started{}
}

func (s started) status(t *testing.T, path string) int {
	t.Helper()
	client := http.Client{Timeout: 30 * time.Second}
	answer, err := client.Get(s.http + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

func (s started) stop(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.process.Wait(); err != nil {
		t.Errorf("it does not end well: %v", err)
	}
}

// certificate is one for the cell's domain, with its key.
func certificate(t *testing.T) (chain, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kafka.example.com"},
		DNSNames:  []string{"kafka.example.com", "*.kafka.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	part := func(kind string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	return part("CERTIFICATE", certificate), part("PRIVATE KEY", encoded)
}

// The files that cloud-init and firn-secrets write start both planes of a cell, and both answer what load balancers ask.
func TestTheFilesOfMachinesStartACell(t *testing.T) {
	configs := applied(t).outputs.CloudConfigs.Value
	scratch := t.TempDir()
	catalog := "sqlite://" + filepath.Join(scratch, "catalog.db")

	broker := newMachine(t, configs.Broker)
	if code := broker.secrets(t); code != 0 {
		t.Fatalf("firn-secrets: exit code %d", code)
	}
	chain, key := certificate(t)
	write(t, filepath.Join(broker.directory, "tls.crt"), chain)
	write(t, filepath.Join(broker.directory, "tls.key"), key)
	brokers := start(t, "broker", broker, writtenFile(t, configs.Broker, "/etc/firn/firn.toml"),
		"--catalog", catalog, "--store", "file://"+filepath.Join(scratch, "store"), "--kafka", "127.0.0.1:0", "--internal", "127.0.0.1:0",
		"--tls-cert", filepath.Join(broker.directory, "tls.crt"), "--tls-key", filepath.Join(broker.directory, "tls.key"))

	control := newMachine(t, configs.Control)
	if code := control.secrets(t); code != 0 {
		t.Fatalf("firn-secrets: exit code %d", code)
	}
	controls := start(t, "control", control, writtenFile(t, configs.Control, "/etc/firn/firn.toml"), "--catalog", catalog)

	for _, one := range []started{brokers, controls} {
		for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
			if status := one.status(t, path); status != http.StatusOK {
				t.Errorf("%s: %d", path, status)
			}
		}
	}
	controls.stop(t)
	brokers.stop(t)
}

// Where systemd is, it reads the units: a misspelt directive would be ignored on a machine, and no one the wiser.
func TestSystemdUnderstandsTheUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd here")
	}
	configs := applied(t).outputs.CloudConfigs.Value
	for _, config := range []string{configs.Broker, configs.Control} {
		directory := t.TempDir()
		for _, unit := range []string{"firn.service", "firn-certificate.service", "firn-certificate.timer"} {
			if strings.Contains(config, unit) {
				write(t, filepath.Join(directory, unit), writtenFile(t, config, "/etc/systemd/system/"+unit))
			}
		}
		units, err := filepath.Glob(filepath.Join(directory, "*"))
		if err != nil {
			t.Fatal(err)
		}
		// What the units start is not on this machine, which it also says.
		output, _ := try(t, ".", []string{"SYSTEMD_UNIT_PATH=" + directory + ":"}, analyze, append([]string{"verify", "--man=no"}, units...)...)
		for _, line := range strings.Split(output, "\n") {
			for _, complaint := range []string{"Unknown", "Failed to parse", "Invalid", "ignoring"} {
				if strings.Contains(line, complaint) {
					t.Error(line)
				}
			}
		}
	}
}
