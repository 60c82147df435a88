// Package checks tests what deploys Firn: terraform/modules and terraform/charts. scripts/deployment-tests runs it, with the programs that
// it needs.
package checks_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository is the root of the repository.
const repository = "../.."

// program is the path of a program that scripts/deployment-tests has found or built.
func program(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s is not set: run scripts/deployment-tests", variable)
	}
	return path
}

// run answers with what a command prints, and fails the test if it fails.
func run(t *testing.T, directory string, environment []string, name string, arguments ...string) string {
	t.Helper()
	output, code := try(t, directory, environment, name, arguments...)
	if code != 0 {
		t.Fatalf("%s %s: exit code %d\n%s", filepath.Base(name), strings.Join(arguments, " "), code, output)
	}
	return output
}

// try answers with what a command prints, and its exit code. Of a command that succeeds only standard output counts.
func try(t *testing.T, directory string, environment []string, name string, arguments ...string) (string, int) {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Dir = directory
	command.Env = append(os.Environ(), environment...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if exit, failed := err.(*exec.ExitError); failed {
		return stdout.String() + stderr.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return stdout.String(), 0
}

// copied is a copy of a directory of the repository, in which tests may write.
func copied(t *testing.T, path string) string {
	t.Helper()
	target := t.TempDir()
	if err := os.CopyFS(target, os.DirFS(filepath.Join(repository, path))); err != nil {
		t.Fatal(err)
	}
	return target
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parsed[T any](t *testing.T, text string) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %.200s", err, text)
	}
	return value
}

// only is the one element of a list.
func only[T any](t *testing.T, what string, list []T) T {
	t.Helper()
	if len(list) != 1 {
		t.Fatalf("%s: %d, and one is expected", what, len(list))
	}
	return list[0]
}
