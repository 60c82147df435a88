package main

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// stub answers as the AWS provider does, as far as Terraform asks it for modules that are made anew.
type stub struct {
	schemas *tfprotov5.GetProviderSchemaResponse
}

func (s *stub) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	answer := &tfprotov5.GetMetadataResponse{}
	for name := range s.schemas.ResourceSchemas {
		answer.Resources = append(answer.Resources, tfprotov5.ResourceMetadata{TypeName: name})
	}
	for name := range s.schemas.DataSourceSchemas {
		answer.DataSources = append(answer.DataSources, tfprotov5.DataSourceMetadata{TypeName: name})
	}
	for name := range s.schemas.EphemeralResourceSchemas {
		answer.EphemeralResources = append(answer.EphemeralResources, tfprotov5.EphemeralResourceMetadata{TypeName: name})
	}
	return answer, nil
}

func (s *stub) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	return s.schemas, nil
}

func (s *stub) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (s *stub) UpgradeResourceIdentity(context.Context, *tfprotov5.UpgradeResourceIdentityRequest) (*tfprotov5.UpgradeResourceIdentityResponse, error) {
	return &tfprotov5.UpgradeResourceIdentityResponse{}, nil
}

func (s *stub) PrepareProviderConfig(_ context.Context, asked *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: asked.Config}, nil
}

func (s *stub) ConfigureProvider(context.Context, *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	return &tfprotov5.ConfigureProviderResponse{}, nil
}

func (s *stub) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

func (s *stub) ValidateResourceTypeConfig(context.Context, *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	return &tfprotov5.ValidateResourceTypeConfigResponse{}, nil
}

func (s *stub) UpgradeResourceState(_ context.Context, asked *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	typ := s.schemas.ResourceSchemas[asked.TypeName].ValueType()
	value, err := asked.RawState.Unmarshal(typ)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov5.NewDynamicValue(typ, value)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (s *stub) ReadResource(_ context.Context, asked *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	return &tfprotov5.ReadResourceResponse{NewState: asked.CurrentState}, nil
}

func (s *stub) PlanResourceChange(_ context.Context, asked *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	state, err := s.change(asked.TypeName, asked.ProposedNewState, func(block *tfprotov5.SchemaBlock, value tftypes.Value) (tftypes.Value, error) {
		return planned(block, value)
	})
	return &tfprotov5.PlanResourceChangeResponse{PlannedState: state, UnsafeToUseLegacyTypeSystem: true}, err
}

func (s *stub) ApplyResourceChange(_ context.Context, asked *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	state, err := s.change(asked.TypeName, asked.PlannedState, func(block *tfprotov5.SchemaBlock, value tftypes.Value) (tftypes.Value, error) {
		return made(asked.TypeName, block, value)
	})
	return &tfprotov5.ApplyResourceChangeResponse{NewState: state, UnsafeToUseLegacyTypeSystem: true}, err
}

// change hands a resource to a function, unless it is about to go.
func (s *stub) change(name string, from *tfprotov5.DynamicValue, to func(*tfprotov5.SchemaBlock, tftypes.Value) (tftypes.Value, error)) (*tfprotov5.DynamicValue, error) {
	schema := s.schemas.ResourceSchemas[name]
	value, err := from.Unmarshal(schema.ValueType())
	if err != nil || value.IsNull() {
		return from, err
	}
	changed, err := to(schema.Block, value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	state, err := tfprotov5.NewDynamicValue(schema.ValueType(), changed)
	return &state, err
}

func (s *stub) ImportResourceState(context.Context, *tfprotov5.ImportResourceStateRequest) (*tfprotov5.ImportResourceStateResponse, error) {
	return nil, fmt.Errorf("awsstub imports nothing")
}

func (s *stub) GenerateResourceConfig(context.Context, *tfprotov5.GenerateResourceConfigRequest) (*tfprotov5.GenerateResourceConfigResponse, error) {
	return nil, fmt.Errorf("awsstub generates nothing")
}

func (s *stub) MoveResourceState(context.Context, *tfprotov5.MoveResourceStateRequest) (*tfprotov5.MoveResourceStateResponse, error) {
	return nil, fmt.Errorf("awsstub moves nothing")
}

func (s *stub) ValidateDataSourceConfig(context.Context, *tfprotov5.ValidateDataSourceConfigRequest) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

func (s *stub) ReadDataSource(_ context.Context, asked *tfprotov5.ReadDataSourceRequest) (*tfprotov5.ReadDataSourceResponse, error) {
	state, err := s.answer("data."+asked.TypeName, s.schemas.DataSourceSchemas[asked.TypeName], asked.Config)
	return &tfprotov5.ReadDataSourceResponse{State: state}, err
}

func (s *stub) answer(name string, schema *tfprotov5.Schema, config *tfprotov5.DynamicValue) (*tfprotov5.DynamicValue, error) {
	value, err := config.Unmarshal(schema.ValueType())
	if err != nil {
		return nil, err
	}
	if value, err = planned(schema.Block, value); err != nil {
		return nil, err
	}
	if value, err = made(name, schema.Block, value); err != nil {
		return nil, err
	}
	state, err := tfprotov5.NewDynamicValue(schema.ValueType(), value)
	return &state, err
}

func (s *stub) CallFunction(context.Context, *tfprotov5.CallFunctionRequest) (*tfprotov5.CallFunctionResponse, error) {
	return nil, fmt.Errorf("awsstub has no functions")
}

func (s *stub) GetFunctions(context.Context, *tfprotov5.GetFunctionsRequest) (*tfprotov5.GetFunctionsResponse, error) {
	return &tfprotov5.GetFunctionsResponse{}, nil
}

func (s *stub) ValidateEphemeralResourceConfig(context.Context, *tfprotov5.ValidateEphemeralResourceConfigRequest) (*tfprotov5.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov5.ValidateEphemeralResourceConfigResponse{}, nil
}

// secretMark begins every secret that the stub hands out, so that a test can look for it where none may be.
const secretMark = "stubsecret"

func (s *stub) OpenEphemeralResource(_ context.Context, asked *tfprotov5.OpenEphemeralResourceRequest) (*tfprotov5.OpenEphemeralResourceResponse, error) {
	schema := s.schemas.EphemeralResourceSchemas[asked.TypeName]
	value, err := asked.Config.Unmarshal(schema.ValueType())
	if err != nil {
		return nil, err
	}
	opened, err := tftypes.Transform(value, func(path *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		attribute := find(schema.Block, path)
		if attribute == nil || !attribute.Sensitive {
			return value, nil
		}
		return tftypes.NewValue(attribute.Type, secretMark+rand.Text()), nil
	})
	if err != nil {
		return nil, err
	}
	result, err := s.answer("ephemeral."+asked.TypeName, schema, dynamic(schema, opened))
	return &tfprotov5.OpenEphemeralResourceResponse{Result: result}, err
}

func dynamic(schema *tfprotov5.Schema, value tftypes.Value) *tfprotov5.DynamicValue {
	encoded, err := tfprotov5.NewDynamicValue(schema.ValueType(), value)
	if err != nil {
		panic(err)
	}
	return &encoded
}

func (s *stub) RenewEphemeralResource(context.Context, *tfprotov5.RenewEphemeralResourceRequest) (*tfprotov5.RenewEphemeralResourceResponse, error) {
	return &tfprotov5.RenewEphemeralResourceResponse{}, nil
}

func (s *stub) CloseEphemeralResource(context.Context, *tfprotov5.CloseEphemeralResourceRequest) (*tfprotov5.CloseEphemeralResourceResponse, error) {
	return &tfprotov5.CloseEphemeralResourceResponse{}, nil
}
