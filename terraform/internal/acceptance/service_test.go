package acceptance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// service is the `firn dev` that all tests share, and an organization in it.
type service struct {
	http, key             string
	organization, project string
	cluster, account      string
	process               *exec.Cmd
}

var firn *service

func TestMain(m *testing.M) {
	if os.Getenv("TF_ACC") == "" {
		fmt.Println("acceptance tests run with TF_ACC=1")
		os.Exit(m.Run())
	}
	os.Exit(withService(m))
}

func withService(m *testing.M) int {
	folder, err := os.MkdirTemp("", "firn-terraform-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	firn = start(folder)
	defer firn.stop()
	firn.signUp()
	os.Setenv("FIRN_ENDPOINT", firn.http)
	os.Setenv("FIRN_API_KEY", firn.key)
	// What the machine's own settings say of registries is nothing to these tests.
	os.Unsetenv("TF_CLI_CONFIG_FILE")
	os.Setenv("CHECKPOINT_DISABLE", "1")
	return m.Run()
}

// program is a file that scripts/terraform-tests names, or the usual place of it in the repository.
func program(variable, usual string) string {
	if path := os.Getenv(variable); path != "" {
		return path
	}
	path, err := filepath.Abs(filepath.Join("../../..", usual))
	if err != nil {
		panic(err)
	}
	return path
}

var ready = regexp.MustCompile(`ready kafka=(\S+) http=(\S+)`)

func start(folder string) *service {
	process := exec.Command(program("FIRN_BINARY", "target/debug/firn"), "dev",
		"--data-dir", filepath.Join(folder, "data"), "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0",
		"--api-requests-per-principal", "1000000", "--log-level", "warn")
	// Variables of the provider are none of the service's.
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "FIRN_") {
			process.Env = append(process.Env, variable)
		}
	}
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	process.Stderr = os.Stderr
	output, err := process.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := process.Start(); err != nil {
		panic(fmt.Sprintf("%v: build it with `cargo build --bin firn`", err))
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if found := ready.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return &service{http: found[2], process: process}
		}
	}
	panic("firn dev ended before it was ready")
}

func (s *service) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

const personsPassword = "a glacier moves 7 metres"

// signUp makes an organization as a stranger does, and an API key of a service account that owns it.
func (s *service) signUp() {
	const email = "ada@example.com"
	s.must("POST", "/v1/signup", map[string]any{
		"email": email, "password": personsPassword, "name": "Ada Lovelace", "organization": "Analytical Engines",
	}, nil)
	token := s.mailed(email, "/v1/verifications")
	body := map[string]any{"token": token, "password": personsPassword}
	answer := s.ask("POST", "/v1/verifications", body, nil)
	if answer.status != http.StatusOK {
		panic(answer.String())
	}
	cookie, _, _ := strings.Cut(answer.header.Get("Set-Cookie"), ";")
	person := http.Header{"Cookie": {cookie}, "X-Csrf-Token": {answer.text("csrf_token")}}
	first := func(path string) string {
		items := s.must("GET", path, nil, person).body["items"].([]any)
		return items[0].(map[string]any)["id"].(string)
	}
	s.organization = first("/v1/organizations")
	s.project = first("/v1/projects?organization=" + s.organization)
	account := map[string]any{"project": s.project, "name": "terraform"}
	s.account = s.must("POST", "/v1/service-accounts", account, person).text("id")
	s.must("POST", "/v1/organizations/"+s.organization+"/role-bindings", map[string]any{
		"principal": s.account, "role": "owner", "scope": s.organization,
	}, person)
	s.key = s.must("POST", "/v1/api-keys", map[string]any{"service_account": s.account}, person).text("secret")
	s.cluster = s.must("POST", "/v1/clusters", map[string]any{"project": s.project, "name": "shared"}, nil).text("id")
}

// mailed is the token of the last mail to this address that says where to give it.
func (s *service) mailed(email, path string) string {
	said := regexp.MustCompile(regexp.QuoteMeta(path) + `:\s+(\S+)`)
	for range 1000 {
		header := http.Header{"Accept": {"application/json"}}
		page := s.must("GET", "/dev/mail?to="+url.QueryEscape(email), nil, header)
		for _, item := range page.body["items"].([]any) {
			if found := said.FindStringSubmatch(item.(map[string]any)["text"].(string)); found != nil {
				return found[1]
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	panic("no mail came to " + email)
}

type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.raw) }

func (a answer) text(name string) string {
	text, ok := a.body[name].(string)
	if !ok {
		panic(fmt.Sprintf("no text %s in %s", name, a.raw))
	}
	return text
}

// direct uses no connection twice: the service closes those that are idle.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// ask sends a request: as the owner's key, unless the headers say who else.
func (s *service) ask(method, path string, body any, header http.Header) answer {
	content, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	request, err := http.NewRequest(method, s.http+path, bytes.NewReader(content))
	if err != nil {
		panic(err)
	}
	if header != nil {
		request.Header = header.Clone()
	}
	if request.Header.Get("Cookie") == "" && s.key != "" {
		request.Header.Set("Authorization", "Bearer "+s.key)
	}
	if body == nil {
		request.Body, request.ContentLength = nil, 0
	} else {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := direct.Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		panic(err)
	}
	found := answer{status: response.StatusCode, header: response.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &found.body)
	return found
}

// must is ask for what has to succeed, and be in force.
func (s *service) must(method, path string, body any, header http.Header) answer {
	answer := s.ask(method, path, body, header)
	if answer.status >= 300 {
		panic(fmt.Sprintf("%s %s: %s", method, path, answer))
	}
	for location := answer.header.Get("Location"); answer.status == http.StatusAccepted && location != ""; {
		if s.must("GET", location+"?wait=20", nil, header).body["status"] == "done" {
			break
		}
	}
	return answer
}

// change is must with the version that is there.
func (s *service) change(method, path string, body any) answer {
	version := s.must("GET", path, nil, nil).header.Get("ETag")
	return s.must(method, path, body, http.Header{"If-Match": {version}})
}
