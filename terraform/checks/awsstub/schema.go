package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Schemas in the format of `terraform providers schema -json`, as far as the AWS provider's have anything.
type document struct {
	ProviderSchemas map[string]struct {
		Provider           schema            `json:"provider"`
		ResourceSchemas    map[string]schema `json:"resource_schemas"`
		DataSourceSchemas  map[string]schema `json:"data_source_schemas"`
		EphemeralResources map[string]schema `json:"ephemeral_resource_schemas"`
	} `json:"provider_schemas"`
}

type schema struct {
	Block block `json:"block"`
}

type block struct {
	Attributes map[string]attribute `json:"attributes"`
	BlockTypes map[string]nested    `json:"block_types"`
}

type attribute struct {
	Type      json.RawMessage `json:"type"`
	Required  bool            `json:"required"`
	Optional  bool            `json:"optional"`
	Computed  bool            `json:"computed"`
	Sensitive bool            `json:"sensitive"`
	WriteOnly bool            `json:"write_only"`
}

type nested struct {
	NestingMode string `json:"nesting_mode"`
	Block       block  `json:"block"`
	MinItems    int64  `json:"min_items"`
	MaxItems    int64  `json:"max_items"`
}

var nestings = map[string]tfprotov5.SchemaNestedBlockNestingMode{
	"single": tfprotov5.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov5.SchemaNestedBlockNestingModeList,
	"set":    tfprotov5.SchemaNestedBlockNestingModeSet,
}

// decode reads the one provider of a document.
func decode(text []byte) (*tfprotov5.GetProviderSchemaResponse, error) {
	var read document
	if err := json.Unmarshal(text, &read); err != nil {
		return nil, err
	}
	if len(read.ProviderSchemas) != 1 {
		return nil, fmt.Errorf("%d providers, and one is expected", len(read.ProviderSchemas))
	}
	for _, provider := range read.ProviderSchemas {
		answer := &tfprotov5.GetProviderSchemaResponse{}
		var err error
		if answer.Provider, err = provider.Provider.decode(); err != nil {
			return nil, err
		}
		if answer.ResourceSchemas, err = decodeAll(provider.ResourceSchemas); err != nil {
			return nil, err
		}
		if answer.DataSourceSchemas, err = decodeAll(provider.DataSourceSchemas); err != nil {
			return nil, err
		}
		answer.EphemeralResourceSchemas, err = decodeAll(provider.EphemeralResources)
		return answer, err
	}
	panic("a map with one entry has one")
}

func decodeAll(schemas map[string]schema) (map[string]*tfprotov5.Schema, error) {
	decoded := map[string]*tfprotov5.Schema{}
	for name, one := range schemas {
		schema, err := one.decode()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		decoded[name] = schema
	}
	return decoded, nil
}

func (s schema) decode() (*tfprotov5.Schema, error) {
	block, err := s.Block.decode()
	return &tfprotov5.Schema{Block: block}, err
}

func (b block) decode() (*tfprotov5.SchemaBlock, error) {
	decoded := &tfprotov5.SchemaBlock{}
	for _, name := range slices.Sorted(maps.Keys(b.Attributes)) {
		attribute := b.Attributes[name]
		//nolint:staticcheck // The one parser of this notation there is; its replacement is Terraform's own, which is internal.
		typ, err := tftypes.ParseJSONType(attribute.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		decoded.Attributes = append(decoded.Attributes, &tfprotov5.SchemaAttribute{
			Name: name, Type: typ, Required: attribute.Required, Optional: attribute.Optional,
			Computed: attribute.Computed, Sensitive: attribute.Sensitive, WriteOnly: attribute.WriteOnly,
		})
	}
	for _, name := range slices.Sorted(maps.Keys(b.BlockTypes)) {
		nested := b.BlockTypes[name]
		inner, err := nested.Block.decode()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		mode, known := nestings[nested.NestingMode]
		if !known {
			return nil, fmt.Errorf("%s: nesting mode %q", name, nested.NestingMode)
		}
		decoded.BlockTypes = append(decoded.BlockTypes, &tfprotov5.SchemaNestedBlock{
			TypeName: name, Block: inner, Nesting: mode, MinItems: nested.MinItems, MaxItems: nested.MaxItems,
		})
	}
	return decoded, nil
}
