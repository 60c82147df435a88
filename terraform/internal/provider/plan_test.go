package provider

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

const someCluster = "clu_abcdefghijklmnopqrstuvwxyz"

// topicsServer lists a thousand topics.
func topicsServer(b *testing.B) *httptest.Server {
	b.Helper()
	var items []string
	for place := range 1000 {
		items = append(items, fmt.Sprintf(`{"cluster":%q,"name":"topic-%04d","topic_id":"id-%d","partitions":1,`+
			`"configs":{"retention.ms":"3600000"},"created_at":"2026-01-01T00:00:00Z"}`, someCluster, place, place))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, one := strings.CutPrefix(r.URL.Path, "/v1/clusters/"+someCluster+"/topics/topic-"); one {
			var place int
			_, _ = fmt.Sscanf(name, "%d", &place)
			fmt.Fprint(w, items[place])
			return
		}
		fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(items, ","))
	}))
	b.Cleanup(server.Close)
	return server
}

// BenchmarkReads is what the provider itself takes to read a thousand topics and to plan them.
func BenchmarkReads(b *testing.B) {
	backend := topicsServer(b)
	for b.Loop() {
		server := configured(b, backend.URL)
		for place := range 1000 {
			json := fmt.Sprintf(`{"cluster":%q,"name":"topic-%04d","topic_id":"id-%d","partitions":1,"configs":{"retention.ms":"3600000"},`+
				`"created_at":"2026-01-01T00:00:00Z","deletion_protection":false,"timeouts":null}`, someCluster, place, place)
			upgraded, err := server.UpgradeResourceState(b.Context(), &tfprotov6.UpgradeResourceStateRequest{
				TypeName: "firn_topic", RawState: &tfprotov6.RawState{JSON: []byte(json)},
			})
			if err != nil || len(upgraded.Diagnostics) > 0 {
				b.Fatal(err, upgraded.Diagnostics)
			}
			read, err := server.ReadResource(b.Context(), &tfprotov6.ReadResourceRequest{
				TypeName: "firn_topic", CurrentState: upgraded.UpgradedState,
			})
			if err != nil || len(read.Diagnostics) > 0 {
				b.Fatal(err, read.Diagnostics)
			}
			planned, err := server.PlanResourceChange(b.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: "firn_topic", PriorState: read.NewState, ProposedNewState: read.NewState, Config: read.NewState,
			})
			if err != nil || len(planned.Diagnostics) > 0 {
				b.Fatal(err, planned.Diagnostics)
			}
		}
	}
}
