package provider

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// What is made, and perhaps not in force yet, is kept with a warning: after an error the next apply would destroy it.
func TestWhatIsMadeAndNotInForceYetIsNotTainted(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/operations/") {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, `{"code":"internal","detail":"It is the service's fault.","status":500,"request_id":"req_1"}`)
			return
		}
		w.Header().Set("Location", "/v1/operations/op_x")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"cluster":%q,"name":"orders","topic_id":"7","partitions":1,"configs":{},"created_at":"2026-01-01T00:00:00Z"}`, someCluster)
	}))
	defer backend.Close()
	server := configured(t, backend.URL)
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	object := schemas.ResourceSchemas["firn_topic"].ValueType()
	nothing, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, nil))
	if err != nil {
		t.Fatal(err)
	}
	planned, err := server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: "firn_topic",
		RawState: &tfprotov6.RawState{JSON: fmt.Appendf(nil, `{"cluster":%q,"name":"orders","partitions":1,"deletion_protection":true}`, someCluster)},
	})
	if err != nil || len(planned.Diagnostics) > 0 {
		t.Fatal(err, planned.Diagnostics)
	}
	made, err := server.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: "firn_topic", PriorState: &nothing, PlannedState: planned.UpgradedState, Config: planned.UpgradedState,
	})
	if err != nil || len(made.Diagnostics) != 1 || made.Diagnostics[0].Severity != tfprotov6.DiagnosticSeverityWarning {
		t.Fatalf("%v %v", err, made.Diagnostics)
	}
	state, err := made.NewState.Unmarshal(object)
	if err != nil || !strings.Contains(state.String(), `"topic_id":tftypes.String<"7">`) {
		t.Errorf("%v %s", err, state)
	}
}

// configured is a provider that asks this server.
func configured(tb testing.TB, endpoint string) tfprotov6.ProviderServer {
	tb.Helper()
	server := providerserver.NewProtocol6(New("test")())()
	kinds := map[string]tftypes.Type{"endpoint": tftypes.String, "api_key": tftypes.String, "max_retries": tftypes.Number}
	object := tftypes.Object{AttributeTypes: kinds}
	config, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, map[string]tftypes.Value{
		"endpoint": tftypes.NewValue(tftypes.String, endpoint), "api_key": tftypes.NewValue(tftypes.String, "k"),
		"max_retries": tftypes.NewValue(tftypes.Number, nil),
	}))
	if err != nil {
		tb.Fatal(err)
	}
	answer, err := server.ConfigureProvider(tb.Context(), &tfprotov6.ConfigureProviderRequest{Config: &config})
	if err != nil || len(answer.Diagnostics) > 0 {
		tb.Fatal(err, answer.Diagnostics)
	}
	return server
}
