package ephemerals

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
	"github.com/firn-stream/terraform-provider-firn/internal/managed"
)

// How long the service may take: an ephemeral resource has no `timeouts`.
const tokenPatience = 5 * time.Minute

type token struct{ client *client.Client }

// NewToken is the ephemeral resource firn_token.
func NewToken() ephemeral.EphemeralResource { return &token{} }

var _ ephemeral.EphemeralResourceWithConfigure = &token{}

type tokenModel struct {
	APIKey      types.String `tfsdk:"api_key"`
	AccessToken types.String `tfsdk:"access_token"`
	ExpiresAt   types.String `tfsdk:"expires_at"`
}

func (t *token) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_token"
}

func (t *token) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	c, ok := req.ProviderData.(*client.Client)
	if !ok {
		resp.Diagnostics.AddError("Wrong provider data", fmt.Sprintf("It is %T. This is a mistake of the provider.", req.ProviderData))
		return
	}
	t.client = c
}

func (t *token) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A token of ten minutes for the bearer of an API key, for REST and for Kafka over OAUTHBEARER. It stops with its key.",
		Attributes: map[string]schema.Attribute{
			"api_key": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "The API key that it is given for; left out: the provider's.",
			},
			"access_token": schema.StringAttribute{Computed: true, Sensitive: true, MarkdownDescription: "The token: a JWT."},
			"expires_at":   schema.StringAttribute{Computed: true, MarkdownDescription: "Until when it holds."},
		},
	}
}

func (t *token) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var wanted tokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &wanted)...)
	if resp.Diagnostics.HasError() {
		return
	}
	asked := t.client
	if key := wanted.APIKey.ValueString(); key != "" {
		other, err := t.client.As(key)
		if err != nil {
			resp.Diagnostics.AddError("The token could not be had", err.Error())
			return
		}
		asked = other
	}
	ctx, cancel := context.WithTimeout(ctx, tokenPatience)
	defer cancel()
	given, err := client.Read[api.Token](asked.API.CreateToken(ctx, nil))
	if err != nil {
		managed.Report(&resp.Diagnostics, "The token could not be had", err, func(string) bool { return false })
		return
	}
	wanted.AccessToken = types.StringValue(given.AccessToken)
	wanted.ExpiresAt = managed.Moment(time.Now().Add(time.Duration(given.ExpiresIn) * time.Second))
	resp.Diagnostics.Append(resp.Result.Set(ctx, &wanted)...)
}
