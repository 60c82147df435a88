package managed

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/firn-stream/terraform-provider-firn/internal/client"
)

// report says why something could not be done, at the attributes that the service found wrong.
func (r *managed[M]) report(diagnostics *diag.Diagnostics, what string, err error) {
	if err == nil {
		return
	}
	summary := fmt.Sprintf("The %s could not %s", r.kind.Title, what)
	has := func(name string) bool { _, has := r.kind.Attributes[name]; return has }
	Report(diagnostics, summary, err, has)
}

// Report adds an error: at an attribute, if the service says that its value is wrong.
func Report(diagnostics *diag.Diagnostics, summary string, err error, has func(string) bool) {
	var problem *client.Problem
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("it took longer than the `timeouts` allow: %w", err)
	}
	if !errors.As(err, &problem) || problem.Errors == nil {
		diagnostics.AddError(summary, err.Error())
		return
	}
	for _, fault := range *problem.Errors {
		name, _, _ := strings.Cut(strings.TrimPrefix(fault.Pointer, "/"), "/")
		// What the API takes as a secret is write-only here.
		switch {
		case has(name):
		case name == "random" && has("secret_wo"):
			name = "secret_wo"
		case has(name + "_wo"):
			name += "_wo"
		default:
			diagnostics.AddError(summary, err.Error())
			return
		}
		diagnostics.AddAttributeError(path.Root(name), summary, fmt.Sprintf("%s: %s (request %s)", fault.Pointer, fault.Detail, problem.RequestId))
	}
}
