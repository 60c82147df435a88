// Package awsschema holds the schema of the AWS provider's resource types that our modules use. derive.mjs says where it is from.
package awsschema

import _ "embed"

// JSON is it, in the format of `terraform providers schema -json`.
//
//go:embed aws.schema.json
var JSON []byte
