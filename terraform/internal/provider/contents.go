package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/firn-stream/terraform-provider-firn/internal/ephemerals"
	"github.com/firn-stream/terraform-provider-firn/internal/functions"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/acl"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/apikey"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/capool"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/cluster"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/identityprovider"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/invitation"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/organization"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/project"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/quota"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/rolebinding"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/scramcredential"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/serviceaccount"
	"github.com/firn-stream/terraform-provider-firn/internal/resources/topic"
)

func (p *firn) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		acl.Kind.Resource,
		apikey.Kind.Resource,
		capool.Kind.Resource,
		cluster.Kind.Resource,
		identityprovider.Kind.Resource,
		invitation.Kind.Resource,
		project.Kind.Resource,
		quota.Kind.Resource,
		rolebinding.Kind.Resource,
		scramcredential.Kind.Resource,
		serviceaccount.Kind.Resource,
		topic.Kind.Resource,
	}
}

func (p *firn) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{
		acl.Kind.ListResource,
		apikey.Kind.ListResource,
		capool.Kind.ListResource,
		cluster.Kind.ListResource,
		identityprovider.Kind.ListResource,
		invitation.Kind.ListResource,
		project.Kind.ListResource,
		quota.Kind.ListResource,
		rolebinding.Kind.ListResource,
		scramcredential.Kind.ListResource,
		serviceaccount.Kind.ListResource,
		topic.Kind.ListResource,
	}
}

func (p *firn) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		acl.Source.DataSource,
		apikey.Source.DataSource,
		capool.Source.DataSource,
		cluster.Source.DataSource,
		identityprovider.Source.DataSource,
		invitation.Source.DataSource,
		organization.Source.DataSource,
		project.Source.DataSource,
		quota.Source.DataSource,
		rolebinding.Source.DataSource,
		scramcredential.Source.DataSource,
		serviceaccount.Source.DataSource,
		topic.Source.DataSource,
	}
}

func (p *firn) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{
		ephemerals.NewAPIKeySecret,
		ephemerals.NewPassword,
		ephemerals.NewToken,
	}
}

func (p *firn) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		functions.NewAPIKey,
		functions.NewClientProperties,
		functions.NewParseACL,
	}
}
