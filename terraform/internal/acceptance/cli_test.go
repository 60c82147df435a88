package acceptance

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cli is a folder in which the real program runs with the real provider, as a person would.
type cli struct {
	t      *testing.T
	folder string
	binary string
	env    []string
	// cpu is the processor time of the last run, providers included.
	cpu time.Duration
}

// newCLI needs the provider that scripts/terraform-tests has built.
func newCLI(t *testing.T, configuration string, env ...string) *cli {
	t.Helper()
	if firn == nil {
		t.Skip("TF_ACC is not set")
	}
	binary := os.Getenv("TF_ACC_TERRAFORM_PATH")
	if binary == "" {
		binary = "terraform"
	}
	folder := t.TempDir()
	c := &cli{t: t, folder: folder, binary: binary}
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides { \"firn/firn\" = %q }\n  direct {}\n}\n",
		filepath.Dir(program("FIRN_PROVIDER", ".cache/terraform/terraform-provider-firn")))
	c.write("cli.tfrc", overrides)
	c.write("main.tf", configuration)
	c.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(folder, "cli.tfrc"), "TF_IN_AUTOMATION=1", "TF_INPUT=0")
	c.env = append(c.env, env...)
	return c
}

func (c *cli) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.folder, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// try runs the program; its output, and its exit code. What it cost is kept in cpu.
func (c *cli) try(args ...string) (string, int) {
	c.t.Helper()
	command := exec.Command(c.binary, args...)
	command.Dir, command.Env = c.folder, c.env
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	c.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return out.String() + complaints.String(), command.ProcessState.ExitCode()
}

func (c *cli) run(args ...string) string {
	c.t.Helper()
	output, code := c.try(args...)
	if code != 0 {
		c.t.Fatalf("%s %s ended with %d:\n%s", c.binary, strings.Join(args, " "), code, output)
	}
	return output
}

// output is an output value of the root module.
func (c *cli) output(name string) string {
	c.t.Helper()
	command := exec.Command(c.binary, "output", "-raw", name)
	command.Dir, command.Env = c.folder, c.env
	text, err := command.Output()
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// kept is every file that the program has left: plans are taken apart.
func (c *cli) kept() string {
	c.t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"*.tfstate*", ".terraform/*.tfstate", "*.tfplan"} {
		found, err := filepath.Glob(filepath.Join(c.folder, pattern))
		if err != nil {
			c.t.Fatal(err)
		}
		for _, path := range found {
			all.WriteString(content(c.t, path))
		}
	}
	if !strings.Contains(all.String(), `"firn_`) {
		c.t.Fatal("there is no state to look into")
	}
	return all.String()
}

func content(t *testing.T, path string) string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	defer archive.Close()
	var all strings.Builder
	for _, file := range archive.File {
		part, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, part); err != nil {
			t.Fatal(err)
		}
		part.Close()
	}
	return all.String()
}

func (c *cli) keepsNone(secrets map[string]string) {
	c.t.Helper()
	kept := c.kept()
	for name, secret := range secrets {
		if strings.Contains(kept, secret) {
			c.t.Errorf("the %s is in the state or in the plan", name)
		}
	}
}
