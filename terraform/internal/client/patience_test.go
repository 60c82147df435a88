package client

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// script answers requests with these statuses, one after another, and remembers what was asked.
type script struct {
	statuses []int
	header   http.Header
	body     string
	keys     []string
	bodies   []string
	pauses   []time.Duration
	server   *httptest.Server
}

func (s *script) start(t *testing.T) *patient {
	t.Helper()
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
		s.bodies = append(s.bodies, string(content))
		status := s.statuses[min(len(s.bodies), len(s.statuses))-1]
		for name, values := range s.header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		if status >= 400 {
			_, _ = io.WriteString(w, s.body)
		}
	}))
	t.Cleanup(s.server.Close)
	return &patient{
		transport:  s.server.Client(),
		maxRetries: 5,
		now:        time.Now,
		sleep: func(_ context.Context, pause time.Duration) error {
			s.pauses = append(s.pauses, pause)
			return nil
		},
	}
}

func (s *script) ask(t *testing.T, p *patient, method string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.server.URL, strings.NewReader(`{"name":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	settings := Settings{APIKey: "k"}
	if err := settings.sign(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	answer, err := p.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestItWaitsAsLongAsTheServiceSays(t *testing.T) {
	s := &script{statuses: []int{429, 503, 200}, header: http.Header{"Retry-After": {"7"}}}
	if answer := s.ask(t, s.start(t), "POST"); answer.StatusCode != 200 {
		t.Fatal(answer.Status)
	}
	if len(s.pauses) != 2 || s.pauses[0] < 7*time.Second || s.pauses[0] > 8*time.Second {
		t.Errorf("it waited %v", s.pauses)
	}
	if s.keys[0] == "" || s.keys[0] != s.keys[1] || s.keys[1] != s.keys[2] {
		t.Errorf("one POST had the idempotency keys %v", s.keys)
	}
	if s.bodies[2] != `{"name":"x"}` {
		t.Errorf("the last body was %q", s.bodies[2])
	}
}

func TestItWaitsUntilADate(t *testing.T) {
	date := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
	s := &script{statuses: []int{503, 200}, header: http.Header{"Retry-After": {date}}}
	s.ask(t, s.start(t), "GET")
	if len(s.pauses) != 1 || s.pauses[0] < 55*time.Second || s.pauses[0] > 62*time.Second {
		t.Errorf("it waited %v", s.pauses)
	}
}

func TestItGivesUp(t *testing.T) {
	s := &script{statuses: []int{503}}
	if answer := s.ask(t, s.start(t), "GET"); answer.StatusCode != 503 {
		t.Fatal(answer.Status)
	}
	if len(s.bodies) != 6 {
		t.Errorf("it asked %d times", len(s.bodies))
	}
}

func TestItDoesNotWaitBeyondItsDeadline(t *testing.T) {
	s := &script{statuses: []int{429}, header: http.Header{"Retry-After": {"60"}}}
	p := s.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", s.server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.Do(request)
	if err != nil || answer.StatusCode != 429 || len(s.pauses) != 0 {
		t.Errorf("%v %v, waited %v", answer, err, s.pauses)
	}
}

func TestWhatTheServiceRefusesIsNotSentAgain(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 412, 422, 500} {
		s := &script{statuses: []int{status}, body: `{"code":"already_exists"}`}
		s.ask(t, s.start(t), "POST")
		if len(s.bodies) != 1 {
			t.Errorf("%d was answered, and it asked %d times", status, len(s.bodies))
		}
	}
}

func TestAPostThatIsUnderWayIsWaitedFor(t *testing.T) {
	s := &script{statuses: []int{409, 409, 201}, body: `{"code":"idempotency_in_flight"}`}
	if answer := s.ask(t, s.start(t), "POST"); answer.StatusCode != 201 {
		t.Fatal(answer.Status)
	}
}

func TestAPatchThatMayHaveBeenDoneIsNotSentAgain(t *testing.T) {
	s := &script{statuses: []int{502}}
	s.ask(t, s.start(t), "PATCH")
	if len(s.bodies) != 1 {
		t.Errorf("it asked %d times", len(s.bodies))
	}
}
