package functions

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/hashicorp/terraform-plugin-framework/function"
)

type clientProperties struct{}

// NewClientProperties is the function client_properties.
func NewClientProperties() function.Function { return clientProperties{} }

func (clientProperties) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "client_properties"
}

func (clientProperties) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Settings of a Kafka client",
		MarkdownDescription: "The text of a `client.properties` for Java clients and Kafka's tools, with TLS and SASL. With an ephemeral password the " +
			"text is ephemeral too.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "bootstrap", MarkdownDescription: "`bootstrap` of the cluster."},
			function.StringParameter{Name: "mechanism", MarkdownDescription: "`SCRAM-SHA-512`, `SCRAM-SHA-256` or, for an API key, `PLAIN`."},
			function.StringParameter{Name: "username", MarkdownDescription: "`username` of the SCRAM credential, or `id` of the API key."},
			function.StringParameter{Name: "password", MarkdownDescription: "The password, or the whole API key."},
		},
		Return: function.StringReturn{},
	}
}

func (clientProperties) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var bootstrap, mechanism, username, password string
	resp.Error = function.ConcatFuncErrors(resp.Error, req.Arguments.Get(ctx, &bootstrap, &mechanism, &username, &password))
	if resp.Error != nil {
		return
	}
	module := "org.apache.kafka.common.security.scram.ScramLoginModule"
	switch mechanism {
	case "SCRAM-SHA-256", "SCRAM-SHA-512":
	case "PLAIN":
		module = "org.apache.kafka.common.security.plain.PlainLoginModule"
	default:
		resp.Error = function.NewArgumentFuncError(1, "the mechanism is not SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN")
		return
	}
	for place, text := range []string{bootstrap, mechanism, username, password} {
		if strings.ContainsFunc(text, func(letter rune) bool { return letter < ' ' }) {
			resp.Error = function.NewArgumentFuncError(int64(place), "it has a control character")
			return
		}
	}
	jaas := fmt.Sprintf("%s required username=%s password=%s;", module, quoted(username), quoted(password))
	lines := []string{
		"bootstrap.servers=" + escaped(bootstrap),
		"security.protocol=SASL_SSL",
		"sasl.mechanism=" + mechanism,
		"sasl.jaas.config=" + escaped(jaas),
		"",
	}
	resp.Error = function.ConcatFuncErrors(resp.Error, resp.Result.Set(ctx, strings.Join(lines, "\n")))
}

// quoted is a value as JAAS reads it.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// escaped is a value as java.util.Properties reads it, which takes bytes for Latin-1.
func escaped(text string) string {
	var out strings.Builder
	for _, letter := range text {
		switch {
		case letter == '\\':
			out.WriteString(`\\`)
		case letter <= '~':
			out.WriteRune(letter)
		default:
			for _, half := range utf16.Encode([]rune{letter}) {
				fmt.Fprintf(&out, `\u%04x`, half)
			}
		}
	}
	return out.String()
}
