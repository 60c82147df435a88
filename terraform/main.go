// Terraform's and OpenTofu's provider of Firn, a managed service that speaks Kafka.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/firn-stream/terraform-provider-firn/internal/provider"
)

// The release sets it.
var version = "dev"

//go:generate go generate ./internal/client/api

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger, and for a Terraform that is told where")
	flag.Parse()
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: provider.Address,
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
