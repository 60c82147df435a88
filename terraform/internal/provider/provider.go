// Package provider puts the provider together: where the service is, who asks, and everything that can be declared.
package provider

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
)

// Address is what the provider is known by.
const Address = "registry.terraform.io/firn/firn"

const usualRetries = 10

// New makes providers of this version.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &firn{version: version} }
}

type firn struct{ version string }

var (
	_ provider.ProviderWithFunctions          = &firn{}
	_ provider.ProviderWithEphemeralResources = &firn{}
	_ provider.ProviderWithListResources      = &firn{}
)

type settings struct {
	Endpoint   types.String `tfsdk:"endpoint"`
	APIKey     types.String `tfsdk:"api_key"`
	MaxRetries types.Int64  `tfsdk:"max_retries"`
}

func (p *firn) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName, resp.Version = "firn", p.version
}

func (p *firn) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Declares what is in a Firn organization: projects, virtual Kafka clusters, topics, and who may do what.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "The address of the REST API, such as `https://api.firn.example`. Left out: the variable `FIRN_ENDPOINT`.",
			},
			"api_key": schema.StringAttribute{
				Optional:  true,
				Sensitive: true,
				MarkdownDescription: "An API key of a service account, or a token that `POST /v1/tokens` has given for one. Better left out, so that it " +
					"comes from the environment variable `FIRN_API_KEY`; a Terraform variable that it comes from should be `ephemeral`, since saved plans keep others.",
			},
			"max_retries": schema.Int64Attribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("How often a request is sent again that the service told to wait (`Retry-After` is honoured), or that was not "+
					"answered; %d if it is left out. The `timeouts` of a resource end its attempts too.", usualRetries),
				Validators: []validator.Int64{int64validator.Between(0, 100)},
			},
		},
	}
}

func (p *firn) Configure(_ context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var given settings
	resp.Diagnostics.Append(req.Config.Get(context.Background(), &given)...)
	if resp.Diagnostics.HasError() {
		return
	}
	// To go on with what the environment says would be to ask as somebody else.
	for name, text := range map[string]types.String{"endpoint": given.Endpoint, "api_key": given.APIKey} {
		if text.IsUnknown() {
			resp.Diagnostics.AddAttributeError(path.Root(name), "The provider's "+name+" is not known yet",
				"It comes from a resource that is not made yet. Make that first (-target), or in a configuration of its own.")
		}
	}
	if resp.Diagnostics.HasError() {
		return
	}
	wanted := client.Settings{
		Endpoint:   or(given.Endpoint, "FIRN_ENDPOINT"),
		APIKey:     or(given.APIKey, "FIRN_API_KEY"),
		MaxRetries: usualRetries,
		UserAgent:  fmt.Sprintf("terraform-provider-firn/%s (Terraform %s)", p.version, req.TerraformVersion),
	}
	if !given.MaxRetries.IsNull() && !given.MaxRetries.IsUnknown() {
		wanted.MaxRetries = int(given.MaxRetries.ValueInt64())
	}
	if wanted.Endpoint == "" {
		resp.Diagnostics.AddAttributeError(path.Root("endpoint"), "The endpoint is missing",
			"Set endpoint in the provider block, or the variable FIRN_ENDPOINT, to the address of the REST API.")
	}
	if wanted.APIKey == "" {
		resp.Diagnostics.AddAttributeError(path.Root("api_key"), "The API key is missing",
			"Set the variable FIRN_API_KEY, or api_key in the provider block, to an API key of a service account.")
	}
	if resp.Diagnostics.HasError() {
		return
	}
	c, err := client.New(wanted)
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("endpoint"), "The endpoint is not right", err.Error())
		return
	}
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData, resp.ListResourceData = c, c, c, c
}

// or is the setting, or what the environment says.
func or(given types.String, variable string) string {
	if text := given.ValueString(); text != "" {
		return text
	}
	return os.Getenv(variable)
}
