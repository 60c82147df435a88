package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// Everything that can be declared can be imported, looked up, listed and limited in time, and says what it is.
func TestEveryResourceIsWhole(t *testing.T) {
	server := providerserver.NewProtocol6(New("test")())()
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(schemas.Diagnostics) > 0 {
		t.Fatal(err, schemas.Diagnostics)
	}
	identities, err := server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil || len(identities.Diagnostics) > 0 {
		t.Fatal(err, identities.Diagnostics)
	}
	if len(schemas.ResourceSchemas) != 12 {
		t.Errorf("there are %d resources", len(schemas.ResourceSchemas))
	}
	for name, schema := range schemas.ResourceSchemas {
		if schemas.DataSourceSchemas[name] == nil || schemas.ListResourceSchemas[name] == nil {
			t.Errorf("%s has no data source, or cannot be listed", name)
		}
		if identities.IdentitySchemas[name] == nil {
			t.Errorf("%s has no identity", name)
		}
		if len(schema.Block.BlockTypes) != 1 || schema.Block.BlockTypes[0].TypeName != "timeouts" {
			t.Errorf("%s has no timeouts", name)
		}
		described(t, name, schema)
		for _, attribute := range schema.Block.Attributes {
			secret := strings.Contains(attribute.Name, "password") || strings.Contains(attribute.Name, "secret")
			if secret && !attribute.WriteOnly && !strings.HasSuffix(attribute.Name, "_wo_version") {
				t.Errorf("%s.%s would be in the state", name, attribute.Name)
			}
		}
	}
	for name, schema := range schemas.DataSourceSchemas {
		described(t, "data "+name, schema)
	}
	for name, schema := range schemas.EphemeralResourceSchemas {
		described(t, "ephemeral "+name, schema)
	}
}

func described(t *testing.T, name string, schema *tfprotov6.Schema) {
	t.Helper()
	if schema.Block.Description == "" {
		t.Errorf("%s is not described", name)
	}
	for _, attribute := range schema.Block.Attributes {
		if attribute.Description == "" {
			t.Errorf("%s.%s is not described", name, attribute.Name)
		}
	}
}
