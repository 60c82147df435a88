// Command awsstub stands in for the AWS provider where that cannot be fetched: it serves the true schema of the resource types
// that our modules use (../awsschema), and pretends to make whatever is planned. It reaches no network.
package main

import (
	"fmt"
	"os"

	"github.com/firn-stream/firn/terraform/checks/awsschema"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "awsstub:", err)
		os.Exit(1)
	}
}

func serve() error {
	schemas, err := decode(awsschema.JSON)
	if err != nil {
		return err
	}
	server := func() tfprotov5.ProviderServer { return &stub{schemas: schemas} }
	// Who asks for it by which name is of no matter to the protocol.
	return tf5server.Serve("registry.terraform.io/hashicorp/aws", server)
}
