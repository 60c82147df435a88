package functions

import (
	"context"
	"fmt"
	"hash/crc32"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework/function"
)

type apiKey struct{}

// NewAPIKey is the function api_key.
func NewAPIKey() function.Function { return apiKey{} }

func (apiKey) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "api_key"
}

func (apiKey) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "The whole text of an API key",
		MarkdownDescription: "Puts an API key together from the id of a `firn_api_key` and the secret that it was made with. With an ephemeral secret " +
			"the text is ephemeral too.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "id", MarkdownDescription: "`id` of the `firn_api_key`."},
			function.StringParameter{Name: "secret", MarkdownDescription: "What its `secret_wo` was set to."},
		},
		Return: function.StringReturn{},
	}
}

var (
	keyID     = regexp.MustCompile("^key_([a-h][a-z2-7]{25})$")
	keySecret = regexp.MustCompile("^[a-z2-7]{52}$")
)

func (apiKey) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var id, secret string
	resp.Error = function.ConcatFuncErrors(resp.Error, req.Arguments.Get(ctx, &id, &secret))
	if resp.Error != nil {
		return
	}
	parts := keyID.FindStringSubmatch(id)
	if parts == nil {
		resp.Error = function.NewArgumentFuncError(0, "it is no id of an API key")
		return
	}
	if !keySecret.MatchString(secret) {
		resp.Error = function.NewArgumentFuncError(1, "it is no secret of an API key: 52 characters from a to z and from 2 to 7")
		return
	}
	resp.Error = function.ConcatFuncErrors(resp.Error, resp.Result.Set(ctx, wholeKey(parts[1], secret)))
}

func wholeKey(id, secret string) string {
	text := "firn_live_" + id + "_" + secret
	return fmt.Sprintf("%s_%08x", text, crc32.ChecksumIEEE([]byte(text)))
}
