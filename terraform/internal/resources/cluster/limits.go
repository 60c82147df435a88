package cluster

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
)

type limitValues struct {
	Partitions            types.Int64 `tfsdk:"partitions"`
	Topics                types.Int64 `tfsdk:"topics"`
	Groups                types.Int64 `tfsdk:"groups"`
	Connections           types.Int64 `tfsdk:"connections"`
	StorageBytes          types.Int64 `tfsdk:"storage_bytes"`
	IngressBytesPerSecond types.Int64 `tfsdk:"ingress_bytes_per_second"`
	EgressBytesPerSecond  types.Int64 `tfsdk:"egress_bytes_per_second"`
}

var limits = schema.SingleNestedAttribute{
	Optional:            true,
	Computed:            true,
	MarkdownDescription: "How much it may hold; what is left out is up to the service.",
	PlanModifiers:       []planmodifier.Object{objectplanmodifier.UseStateForUnknown()},
	Attributes: map[string]schema.Attribute{
		"partitions":               limit("Partitions of all topics together."),
		"topics":                   limit("Topics."),
		"groups":                   limit("Consumer groups."),
		"connections":              limit("Connections to one broker."),
		"storage_bytes":            limit("Bytes of records, as they are stored."),
		"ingress_bytes_per_second": limit("Bytes of records that clients may send in a second, to all brokers together."),
		"egress_bytes_per_second":  limit("Bytes of records that clients may receive in a second, from all brokers together."),
	},
}

func limit(description string) schema.Attribute {
	return schema.Int64Attribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: description,
		PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
	}
}

var limitTypes = map[string]attr.Type{
	"partitions": types.Int64Type, "topics": types.Int64Type, "groups": types.Int64Type, "connections": types.Int64Type,
	"storage_bytes": types.Int64Type, "ingress_bytes_per_second": types.Int64Type, "egress_bytes_per_second": types.Int64Type,
}

func limitsOf(told api.ClusterLimits) types.Object {
	return types.ObjectValueMust(limitTypes, map[string]attr.Value{
		"partitions":               types.Int64Value(told.Partitions),
		"topics":                   types.Int64Value(told.Topics),
		"groups":                   types.Int64Value(told.Groups),
		"connections":              types.Int64Value(told.Connections),
		"storage_bytes":            types.Int64Value(told.StorageBytes),
		"ingress_bytes_per_second": types.Int64Value(told.IngressBytesPerSecond),
		"egress_bytes_per_second":  types.Int64Value(told.EgressBytesPerSecond),
	})
}

// wantedLimits are those that are known; nil if none are wanted.
func wantedLimits(ctx context.Context, object types.Object) (*api.NewClusterLimits, error) {
	if object.IsNull() || object.IsUnknown() {
		return nil, nil
	}
	var wanted limitValues
	options := basetypes.ObjectAsOptions{}
	if problems := object.As(ctx, &wanted, options); problems.HasError() {
		return nil, errors.New(problems.Errors()[0].Detail())
	}
	return &api.NewClusterLimits{
		Partitions:            known(wanted.Partitions),
		Topics:                known(wanted.Topics),
		Groups:                known(wanted.Groups),
		Connections:           known(wanted.Connections),
		StorageBytes:          known(wanted.StorageBytes),
		IngressBytesPerSecond: known(wanted.IngressBytesPerSecond),
		EgressBytesPerSecond:  known(wanted.EgressBytesPerSecond),
	}, nil
}

func known(number types.Int64) *int64 {
	if number.IsUnknown() {
		return nil
	}
	return number.ValueInt64Pointer()
}
