// Package ephemerals has what a run makes or gets for itself, and what no plan and no state keeps.
package ephemerals

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const once = " Each run makes another one: hand it to a write-only attribute, and to where the secret is kept, under one version."

type password struct{}

// NewPassword is the ephemeral resource firn_password.
func NewPassword() ephemeral.EphemeralResource { return password{} }

type passwordModel struct {
	Length types.Int64  `tfsdk:"length"`
	Result types.String `tfsdk:"result"`
}

const usualLength = 43

func (password) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_password"
}

func (password) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A random password, made on this machine, for `firn_scram_credential`." + once,
		Attributes: map[string]schema.Attribute{
			"length": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "How many characters it has, each of 6 random bits; 43 (256 bits) if it is left out.",
				Validators:          []validator.Int64{int64validator.Between(22, 200)},
			},
			"result": schema.StringAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: "The password: letters, digits, `-` and `_`.",
			},
		},
	}
}

func (password) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var wanted passwordModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &wanted)...)
	if resp.Diagnostics.HasError() {
		return
	}
	length := usualLength
	if !wanted.Length.IsNull() {
		length = int(wanted.Length.ValueInt64())
	}
	wanted.Result = types.StringValue(base64.RawURLEncoding.EncodeToString(random(length))[:length])
	resp.Diagnostics.Append(resp.Result.Set(ctx, &wanted)...)
}

// random never fails: where there is no randomness, the program ends.
func random(count int) []byte {
	bytes := make([]byte, count)
	_, _ = rand.Read(bytes)
	return bytes
}

type apiKeySecret struct{}

// NewAPIKeySecret is the ephemeral resource firn_api_key_secret.
func NewAPIKeySecret() ephemeral.EphemeralResource { return apiKeySecret{} }

type apiKeySecretModel struct {
	Result types.String `tfsdk:"result"`
}

// 256 bits, and the four that fill up the last character.
const secretBytes, secretLength = 33, 52

func (apiKeySecret) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_api_key_secret"
}

func (apiKeySecret) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The secret of an API key, made on this machine, for `firn_api_key`." + once,
		Attributes: map[string]schema.Attribute{
			"result": schema.StringAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: "The secret: 52 characters of base32.",
			},
		},
	}
}

func (apiKeySecret) Open(ctx context.Context, _ ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	text := strings.ToLower(base32.StdEncoding.EncodeToString(random(secretBytes)))[:secretLength]
	resp.Diagnostics.Append(resp.Result.Set(ctx, &apiKeySecretModel{Result: types.StringValue(text)})...)
}
