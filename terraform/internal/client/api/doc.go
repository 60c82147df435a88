// Package api is generated from the snapshot of the service's OpenAPI description: its models, and a method for each request
// that the provider sends.
package api

//go:generate go tool oapi-codegen -config config.yaml -o api.gen.go ../../../../controlplane/api/openapi.json
