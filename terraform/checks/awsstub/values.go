package main

import (
	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Optional attributes that AWS fills in when they are left out, and that our modules read.
var filledIn = map[string]bool{"id": true, "arn": true, "port": true, "region": true}

// planned is a resource as a plan shows it: what only AWS knows is unknown, and what is written only is not there.
func planned(block *tfprotov5.SchemaBlock, proposed tftypes.Value) (tftypes.Value, error) {
	return tftypes.Transform(proposed, func(path *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		attribute := find(block, path)
		switch {
		case attribute == nil:
			return value, nil
		case attribute.WriteOnly:
			return tftypes.NewValue(attribute.Type, nil), nil
		case value.IsKnown() && value.IsNull() && attribute.Computed && (!attribute.Optional || filledIn[attribute.Name]):
			return tftypes.NewValue(attribute.Type, tftypes.UnknownValue), nil
		}
		return value, nil
	})
}

// made is a resource after it was made: a value is invented for what was unknown.
func made(name string, block *tfprotov5.SchemaBlock, planned tftypes.Value) (tftypes.Value, error) {
	return tftypes.Transform(planned, func(path *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		if value.IsKnown() {
			return value, nil
		}
		attribute := ""
		if found := find(block, path); found != nil {
			attribute = found.Name
		}
		return invented(name, attribute, value.Type()), nil
	})
}

// find is the attribute at a path, which leads through blocks and their positions; nil if something else is there.
func find(block *tfprotov5.SchemaBlock, path *tftypes.AttributePath) *tfprotov5.SchemaAttribute {
	steps := path.Steps()
	for number, step := range steps {
		name, isName := step.(tftypes.AttributeName)
		if !isName {
			continue
		}
		var inner *tfprotov5.SchemaBlock
		for _, nested := range block.BlockTypes {
			if nested.TypeName == string(name) {
				inner = nested.Block
			}
		}
		if inner != nil {
			block = inner
			continue
		}
		for _, attribute := range block.Attributes {
			if attribute.Name == string(name) && number == len(steps)-1 {
				return attribute
			}
		}
		return nil
	}
	return nil
}

func invented(resource, attribute string, typ tftypes.Type) tftypes.Value {
	switch typ := typ.(type) {
	case tftypes.List:
		return tftypes.NewValue(typ, []tftypes.Value{invented(resource, attribute, typ.ElementType)})
	case tftypes.Set:
		return tftypes.NewValue(typ, []tftypes.Value{invented(resource, attribute, typ.ElementType)})
	case tftypes.Map:
		return tftypes.NewValue(typ, map[string]tftypes.Value{})
	case tftypes.Object:
		members := map[string]tftypes.Value{}
		for name, member := range typ.AttributeTypes {
			members[name] = invented(resource, name, member)
		}
		return tftypes.NewValue(typ, members)
	}
	switch {
	case typ.Is(tftypes.Number):
		return tftypes.NewValue(typ, 5432)
	case typ.Is(tftypes.Bool):
		return tftypes.NewValue(typ, false)
	case attribute == "arn":
		return tftypes.NewValue(typ, "arn:aws:stub:eu-central-1:000000000000:"+resource)
	case attribute == "region":
		return tftypes.NewValue(typ, "eu-central-1")
	default:
		return tftypes.NewValue(typ, "stub-"+attribute)
	}
}
