// Terraform's and OpenTofu's provider of Firn, a managed service that speaks Kafka.
package main

import (
	"context"
	"flag"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/firn-stream/terraform-provider-firn/internal/provider"
)

// The release sets it.
var version = "dev"

//go:generate go generate ./internal/client/api

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger, and for a Terraform that is told where")
	flag.Parse()
	quiet()
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: provider.Address,
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}

// quiet spares Terraform the SDK's trace of every step, which it would read and drop: half of the work of a large plan. Who asks for a log gets it.
func quiet() {
	for _, variable := range []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_SDK"} {
		if os.Getenv(variable) != "" {
			return
		}
	}
	if err := os.Setenv("TF_LOG_SDK", "off"); err != nil {
		log.Fatal(err)
	}
}
