package checks_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const (
	beginning = "<!-- written by scripts/deployment-tests -->"
	end       = "<!-- end -->"
)

// described is what a README tells of a variable, an output or a resource.
type described struct {
	name, description, kind, preset string
	required                        bool
}

// module is what a module's files declare.
type module struct {
	inputs, outputs []described
	resources       []string
}

func modules(t *testing.T) (paths []string) {
	t.Helper()
	root := filepath.Join(repository, "terraform/modules")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Name() == "versions.tf" {
			paths = append(paths, filepath.Dir(path))
		}
		return err
	})
	if err != nil || len(paths) < 10 {
		t.Fatalf("%v %v", paths, err)
	}
	return paths
}

func declared(t *testing.T, path string) (found module) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(path, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	parser := hclparse.NewParser()
	for _, name := range files {
		file, problems := parser.ParseHCLFile(name)
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		for _, block := range file.Body.(*hclsyntax.Body).Blocks {
			switch block.Type {
			case "variable":
				found.inputs = append(found.inputs, describe(t, block, file.Bytes))
			case "output":
				found.outputs = append(found.outputs, describe(t, block, file.Bytes))
			case "resource":
				found.resources = append(found.resources, block.Labels[0])
			}
		}
	}
	slices.Sort(found.resources)
	found.resources = slices.Compact(found.resources)
	return found
}

func describe(t *testing.T, block *hclsyntax.Block, text []byte) described {
	t.Helper()
	source := func(name string) string {
		attribute, given := block.Body.Attributes[name]
		if !given {
			return ""
		}
		return inOneLine(string(attribute.Expr.Range().SliceBytes(text)))
	}
	one := described{name: block.Labels[0], kind: source("type"), preset: source("default")}
	one.required = block.Type == "variable" && block.Body.Attributes["default"] == nil
	if attribute := block.Body.Attributes["description"]; attribute != nil {
		value, problems := attribute.Expr.Value(&hcl.EvalContext{})
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		one.description = value.AsString()
	}
	return one
}

// inOneLine writes an expression of several lines in one: what a line break separates there, a comma does here.
func inOneLine(expression string) string {
	line := ""
	for _, next := range strings.Split(expression, "\n") {
		next = strings.Join(strings.Fields(next), " ")
		switch {
		case line == "":
			line = next
		case strings.HasSuffix(line, "{") || strings.HasPrefix(next, "}"):
			line += " " + next
		default:
			line += ", " + next
		}
	}
	return line
}

// tables are the part of a README that is written out of the module itself.
func (m module) tables() string {
	var out strings.Builder
	cell := func(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
	out.WriteString("## Inputs\n\n| Name | What it is | Type | Default |\n|---|---|---|---|\n")
	for _, input := range m.inputs {
		preset := "**required**"
		if !input.required {
			preset = "`" + cell(input.preset) + "`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | `%s` | %s |\n", input.name, cell(input.description), cell(input.kind), preset)
	}
	out.WriteString("\n## Outputs\n\n| Name | What it is |\n|---|---|\n")
	for _, output := range m.outputs {
		fmt.Fprintf(&out, "| `%s` | %s |\n", output.name, cell(output.description))
	}
	if len(m.resources) > 0 {
		fmt.Fprintf(&out, "\nResources: `%s`.\n", strings.Join(m.resources, "`, `"))
	}
	return out.String()
}

// With FIRN_ACCEPT_READMES=1 it writes them instead.
func TestReadmesTellEveryInputAndOutput(t *testing.T) {
	for _, path := range modules(t) {
		readme := filepath.Join(path, "README.md")
		text := read(t, readme)
		before, rest, begins := strings.Cut(text, beginning)
		_, after, ends := strings.Cut(rest, end)
		if !begins || !ends {
			t.Errorf("%s has no place for them: %s … %s", readme, beginning, end)
			continue
		}
		expected := before + beginning + "\n\n" + declared(t, path).tables() + "\n" + end + after
		if os.Getenv("FIRN_ACCEPT_READMES") == "1" {
			write(t, readme, expected)
		} else if text != expected {
			t.Errorf("%s is not what the module says: FIRN_ACCEPT_READMES=1 scripts/deployment-tests writes it", readme)
		}
	}
}

// Whoever copies an example out of a README gets something that works.
func TestExamplesOfReadmesAreValid(t *testing.T) {
	tofu := program(t, "FIRN_TOFU")
	found := 0
	for _, path := range modules(t) {
		_, rest, _ := strings.Cut(read(t, filepath.Join(path, "README.md")), "```hcl\n")
		example, _, has := strings.Cut(rest, "```")
		if !has {
			continue
		}
		found++
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(path, filepath.Join(repository)+string(filepath.Separator))
		text := strings.Replace(example, `"./`+name+`"`, fmt.Sprintf("%q", absolute), 1)
		if text == example {
			t.Errorf("%s: the example has another source", path)
		}
		for _, variable := range regexp.MustCompile(`var\.(\w+)`).FindAllStringSubmatch(text, -1) {
			text += fmt.Sprintf("\nvariable %q {\n  type      = string\n  ephemeral = true\n}\n", variable[1])
		}
		directory := t.TempDir()
		write(t, filepath.Join(directory, "main.tf"), text)
		run(t, directory, nil, tofu, "init", "-no-color")
		run(t, directory, nil, tofu, "validate", "-no-color")
	}
	if found < 2 {
		t.Errorf("only %d examples", found)
	}
}

func TestReadmesSayWhatWasNotTried(t *testing.T) {
	for _, path := range append(modules(t), chart) {
		text := strings.Join(strings.Fields(read(t, filepath.Join(path, "README.md"))), " ")
		tried := strings.Contains(path, "modules/team") || strings.Contains(text, "not applied to a real account") || strings.Contains(text, "not installed into a real cluster")
		if !tried {
			t.Errorf("%s promises too much", path)
		}
	}
}

func TestVariablesAreDescribedAndHoldNoSecretByDefault(t *testing.T) {
	secret := []string{"password", "secret", "private_key", "token", "smtp_url", "api_key"}
	for _, path := range modules(t) {
		found := declared(t, path)
		for _, one := range append(found.inputs, found.outputs...) {
			if !strings.HasSuffix(one.description, ".") {
				t.Errorf("%s: %s has no sentence", path, one.name)
			}
		}
		for _, input := range found.inputs {
			harmless := []string{"", "null", "{}", "1"}
			if slices.ContainsFunc(secret, func(word string) bool { return strings.Contains(input.name, word) }) && !slices.Contains(harmless, input.preset) {
				t.Errorf("%s: %s has the default %s", path, input.name, input.preset)
			}
		}
	}
}

func TestTheChartsReadmeTellsEveryValue(t *testing.T) {
	text := read(t, filepath.Join(chart, "README.md"))
	schema := parsed[struct {
		Properties map[string]struct{ Properties map[string]any }
	}](t, read(t, filepath.Join(chart, "values.schema.json")))
	for name, value := range schema.Properties {
		if name == "global" {
			continue
		}
		if len(value.Properties) == 0 && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s is not told of", name)
		}
		for inner := range value.Properties {
			if !strings.Contains(text, "`"+name+"."+inner) {
				t.Errorf("%s.%s is not told of", name, inner)
			}
		}
	}
}

func TestTheExampleOfTheChartsReadmeRenders(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, filepath.Join(chart, "README.md")), "```yaml\n")
	values, _, has := strings.Cut(rest, "```")
	path := filepath.Join(t.TempDir(), "values.yaml")
	write(t, path, values)
	output := run(t, ".", nil, program(t, "FIRN_HELM"), "template", "firn", chart, "--kube-version", kubernetes, "--values", path)
	if !has || !strings.Contains(output, "name: firn-kafka\n") {
		t.Error(output)
	}
}

// Both say what a release is.
func TestTheChartHasTheVersionOfFirn(t *testing.T) {
	manifest := read(t, filepath.Join(repository, "Cargo.toml"))
	_, rest, _ := strings.Cut(manifest, "\nversion = \"")
	version, _, _ := strings.Cut(rest, `"`)
	if !strings.Contains(read(t, filepath.Join(chart, "Chart.yaml")), "\nappVersion: "+version+"\n") {
		t.Errorf("appVersion is not %s", version)
	}
}
