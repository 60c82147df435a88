// Program listschemas prints the schemas of the provider's list resources, as `terraform providers schema -json` does from Terraform 1.14 on: the
// docs are made of them, whichever Terraform is here.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/firn-stream/terraform-provider-firn/internal/provider"
)

type schema struct {
	Version int64 `json:"version"`
	Block   block `json:"block"`
}

type block struct {
	Attributes      map[string]attribute `json:"attributes"`
	Description     string               `json:"description"`
	DescriptionKind string               `json:"description_kind"`
}

type attribute struct {
	Type            string `json:"type"`
	Description     string `json:"description"`
	DescriptionKind string `json:"description_kind"`
	Required        bool   `json:"required,omitempty"`
	Optional        bool   `json:"optional,omitempty"`
}

const markdown = "markdown"

func shown(of *tfprotov6.Schema) (schema, error) {
	attributes := map[string]attribute{}
	for _, one := range of.Block.Attributes {
		if !one.Type.Is(tftypes.String) {
			return schema{}, fmt.Errorf("%s is no text", one.Name)
		}
		attributes[one.Name] = attribute{
			Type: "string", Description: one.Description, DescriptionKind: markdown, Required: one.Required, Optional: one.Optional,
		}
	}
	return schema{Version: of.Version, Block: block{attributes, of.Block.Description, markdown}}, nil
}

func run() error {
	server := providerserver.NewProtocol6(provider.New("docs")())()
	told, err := server.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return err
	}
	schemas := map[string]schema{}
	for name, of := range told.ListResourceSchemas {
		if schemas[name], err = shown(of); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(schemas)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
