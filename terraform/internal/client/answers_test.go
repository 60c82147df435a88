package client

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
)

func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := New(Settings{Endpoint: server.URL + "/", APIKey: "firn_live_key", MaxRetries: 1, UserAgent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAWriteThatIsNotInForceIsWaitedFor(t *testing.T) {
	asked := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer firn_live_key" {
			t.Errorf("%s came without the key", r.URL)
		}
		switch {
		case r.URL.Path == "/v1/clusters/clu_x/topics":
			w.Header().Set("Location", "/v1/operations/op_x")
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, `{"name":"orders","topic_id":"7"}`)
		case r.URL.Path == "/v1/operations/op_x" && r.URL.Query().Get("wait") == "30":
			asked++
			fmt.Fprintf(w, `{"id":"op_x","status":%q}`, map[bool]string{true: "done", false: "running"}[asked == 3])
		default:
			t.Errorf("%s was asked for", r.URL)
		}
	})
	answer, err := c.API.CreateTopic(t.Context(), "clu_x", nil, api.NewTopic{Name: "orders"})
	topic, err := Settle[api.Topic](t.Context(), c, answer, err)
	if err != nil || topic.TopicId != "7" || asked != 3 {
		t.Errorf("%v %v, asked %d times", topic, err, asked)
	}
}

func TestAProblemSaysWhatAndWhichRequest(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `{"code":"invalid_value","detail":"The body is wrong.","status":422,"request_id":"req_7",
			"errors":[{"pointer":"/name","detail":"it is taken"}]}`)
	})
	_, err := Read[api.Topic](c.API.GetTopic(t.Context(), "clu_x", "orders"))
	if !IsCode(err, "invalid_value") || IsGone(err) {
		t.Fatal(err)
	}
	for _, part := range []string{"The body is wrong.", "/name: it is taken", "req_7"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
}

func TestAnAnswerOfAnotherServerIsNamedSo(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<html>nginx</html>")
	})
	_, err := Read[api.Topic](c.API.GetTopic(t.Context(), "clu_x", "orders"))
	if err == nil || IsGone(err) || !strings.Contains(err.Error(), "is the endpoint right?") {
		t.Errorf("%v", err)
	}
}

func TestAKeyDoesNotFollowARedirect(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("it followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	if _, err := Read[api.Topic](c.API.GetTopic(t.Context(), "clu_x", "orders")); err == nil {
		t.Error("a redirect is no topic")
	}
}
