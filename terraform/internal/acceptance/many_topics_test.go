package acceptance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

const manyTopics = `
terraform {
  required_providers {
    firn = { source = "firn/firn" }
  }
}
variable "cluster" { type = string }
resource "firn_topic" "many" {
  count               = 1000
  cluster             = var.cluster
  name                = format("topic-%04d", count.index)
  partitions          = 1
  configs             = { "retention.ms" = "3600000" }
  deletion_protection = false
}
`

// A plan over 1,000 topics asks for one listing, not for each. The figure is printed; it depends on the machine.
func TestAPlanOverAThousandTopicsIsOneListing(t *testing.T) {
	if firn == nil {
		t.Skip("TF_ACC is not set")
	}
	target, err := url.Parse(firn.http)
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Second}
	counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	defer counting.Close()
	cluster := firn.must("POST", "/v1/clusters", map[string]any{
		"project": firn.project, "name": "many", "limits": map[string]any{"topics": 1500, "partitions": 1500},
	}, nil).text("id")
	defer firn.must("DELETE", "/v1/clusters/"+cluster, nil, nil)

	c := newCLI(t, manyTopics, "TF_VAR_cluster="+cluster, "FIRN_ENDPOINT="+counting.URL)
	began := time.Now()
	c.run("apply", "-auto-approve", "-parallelism=20")
	created := time.Since(began)
	requests.Store(0)
	began = time.Now()
	output, code := c.try("plan", "-detailed-exitcode")
	planned := time.Since(began)
	fmt.Printf("figure: 1,000 topics: applied in %.1f s, planned in %.1f s (%.1f s of processor time) with %d requests\n",
		created.Seconds(), planned.Seconds(), c.cpu.Seconds(), requests.Load())
	if code != 0 {
		t.Errorf("the plan is not empty:\n%s", output)
	}
	// Three reads by themselves and five pages; a listing answers for ten seconds, and a slow machine takes longer.
	if allowed := 10 * (1 + int64(planned/(10*time.Second))); requests.Load() > allowed {
		t.Errorf("the plan took %d requests, and %d are allowed", requests.Load(), allowed)
	}
}
