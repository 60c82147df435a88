package acceptance

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/firn-stream/terraform-provider-firn/internal/provider"
)

// dynamic is a value as Terraform sends it.
func dynamic(t *testing.T, kinds map[string]tftypes.Type, values map[string]tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	object := tftypes.Object{AttributeTypes: kinds}
	value, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, values))
	if err != nil {
		t.Fatal(err)
	}
	return &value
}

// Lists are asked for as Terraform 1.14 does, whichever Terraform is here.
func TestEverythingIsListed(t *testing.T) {
	t.Parallel()
	if firn == nil {
		t.Skip("TF_ACC is not set")
	}
	for _, name := range []string{"listed-1", "listed-2", "listed-3"} {
		firn.must("POST", "/v1/clusters/"+firn.cluster+"/topics", map[string]any{"name": name, "partitions": 1}, nil)
	}
	server := providerserver.NewProtocol6(provider.New("test")())()
	kinds := map[string]tftypes.Type{"endpoint": tftypes.String, "api_key": tftypes.String, "max_retries": tftypes.Number}
	config := dynamic(t, kinds, map[string]tftypes.Value{
		"endpoint": tftypes.NewValue(tftypes.String, firn.http), "api_key": tftypes.NewValue(tftypes.String, firn.key),
		"max_retries": tftypes.NewValue(tftypes.Number, nil),
	})
	configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config})
	if err != nil || len(configured.Diagnostics) > 0 {
		t.Fatal(err, configured.Diagnostics)
	}
	lister, ok := server.(tfprotov6.ProviderServerWithListResource)
	if !ok {
		t.Fatal("the provider lists nothing")
	}
	list := func(kind, parent, id string, limit int64) (names []string) {
		t.Helper()
		config := dynamic(t, map[string]tftypes.Type{parent: tftypes.String}, map[string]tftypes.Value{
			parent: tftypes.NewValue(tftypes.String, id),
		})
		request := &tfprotov6.ListResourceRequest{TypeName: kind, Config: config, IncludeResource: true, Limit: limit}
		stream, err := lister.ListResource(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		for result := range stream.Results {
			if len(result.Diagnostics) > 0 || result.Resource == nil || result.Identity == nil {
				t.Errorf("%s: %v", kind, result.Diagnostics)
			}
			names = append(names, result.DisplayName)
		}
		return names
	}
	if topics := list("firn_topic", "cluster", firn.cluster, 2); len(topics) != 2 {
		t.Errorf("two topics were wanted, and %v came", topics)
	}
	for kind, where := range map[string][2]string{
		"firn_project": {"organization", firn.organization}, "firn_cluster": {"project", firn.project},
		"firn_service_account": {"project", firn.project}, "firn_api_key": {"project", firn.project},
		"firn_role_binding": {"organization", firn.organization}, "firn_topic": {"cluster", firn.cluster},
	} {
		if found := list(kind, where[0], where[1], 0); len(found) == 0 {
			t.Errorf("no %s is listed", kind)
		}
	}
	for kind, where := range map[string][2]string{
		"firn_invitation": {"organization", firn.organization}, "firn_acl": {"cluster", firn.cluster},
		"firn_quota": {"cluster", firn.cluster}, "firn_ca_pool": {"cluster", firn.cluster},
		"firn_identity_provider": {"cluster", firn.cluster}, "firn_scram_credential": {"cluster", firn.cluster},
	} {
		list(kind, where[0], where[1], 0)
	}
}

// The same with the binary, where it speaks lists.
func TestQuery(t *testing.T) {
	t.Parallel()
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_14_0)},
		Steps: []resource.TestStep{
			{Config: fmt.Sprintf(`resource "firn_topic" "it" {
  cluster             = %q
  name                = "queried"
  deletion_protection = false
}`, firnOr("cluster"))},
			{
				Query: true,
				Config: fmt.Sprintf(`provider "firn" {}
list "firn_topic" "all" {
  provider = firn
  config { cluster = %q }
}`, firnOr("cluster")),
				QueryResultChecks: []querycheck.QueryResultCheck{querycheck.ExpectLengthAtLeast("firn_topic.all", 1)},
			},
		},
	})
}
