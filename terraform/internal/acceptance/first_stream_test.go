package acceptance

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The example that the README shows, as it is: applied, streamed through, destroyed.
func TestFirstStream(t *testing.T) {
	t.Parallel()
	const password = "Glacier/7+metres=a.year"
	example, err := os.ReadFile("../../examples/first-stream/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	c := newCLI(t, string(example), "TF_VAR_project="+firnOr("project"), "TF_VAR_password="+password)
	c.run("apply", "-auto-approve")
	c.keepsNone(map[string]string{"password": password, "API key": firn.key})

	authority := filepath.Join(c.folder, "ca.pem")
	c.write("ca.pem", firn.must("GET", "/v1/certificate-authority", nil, nil).raw)
	client := []string{
		"-b", c.output("bootstrap"), "-X", "security.protocol=SASL_SSL", "-X", "sasl.mechanism=SCRAM-SHA-512",
		"-X", "sasl.username=" + c.output("username"), "-X", "sasl.password=" + password, "-X", "ssl.ca.location=" + authority,
	}
	produce := exec.Command("kcat", append(client, "-P", "-t", "orders")...)
	produce.Stdin = strings.NewReader("hello\n")
	if output, err := produce.CombinedOutput(); err != nil {
		t.Fatalf("kcat: %v\n%s", err, output)
	}
	consume := exec.Command("kcat", append(client, "-q", "-c", "1", "-X", "auto.offset.reset=earliest", "-G", "checkout-1", "orders")...)
	output, err := consume.CombinedOutput()
	if err != nil || strings.TrimSpace(string(output)) != "hello" {
		t.Fatalf("kcat: %v\n%s", err, output)
	}
	elsewhere := exec.Command("kcat", append(client, "-C", "-e", "-t", "other")...)
	if output, err := elsewhere.CombinedOutput(); err == nil {
		t.Errorf("no ACL allows this:\n%s", output)
	}

	if output, code := c.try("plan", "-detailed-exitcode"); code != 0 {
		t.Errorf("the plan is not empty:\n%s", output)
	}
	// By its id: other tests of this organization have clusters of that name, too.
	state, err := os.ReadFile(filepath.Join(c.folder, "terraform.tfstate"))
	cluster := regexp.MustCompile("clu_[a-z2-7]{26}").FindString(string(state))
	if err != nil || cluster == "" {
		t.Fatalf("the state names no cluster: %v", err)
	}
	c.run("destroy", "-auto-approve")
	if left := firn.ask("GET", "/v1/clusters/"+cluster, nil, nil); left.status == http.StatusOK && left.text("state") == "active" {
		t.Errorf("the cluster is still there: %s", left)
	}
}

// The README shows a part of it, and leaves some arguments out.
func TestTheReadmeShowsTheExampleThatRuns(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../../examples/first-stream/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "\n```hcl\n")
	shown, _, has := strings.Cut(shown, "\n```\n")
	if !has {
		t.Fatal("the README shows no HCL")
	}
	runs := blocks(string(example))
	for name, arguments := range blocks(shown) {
		for _, argument := range arguments {
			if !slices.Contains(runs[name], argument) {
				t.Errorf("%s of the README has another argument than the example: %s", name, argument)
			}
		}
	}
}

// blocks are the arguments of each block, without comments and the spaces that line them up.
func blocks(text string) map[string][]string {
	found := map[string][]string{}
	name := ""
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, " #")
		line = strings.Join(strings.Fields(line), " ")
		switch {
		case line == "" || line == "}":
		case strings.HasSuffix(line, "{"):
			name = line
			found[name] = []string{}
		default:
			found[name] = append(found[name], line)
		}
	}
	return found
}
