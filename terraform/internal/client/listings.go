package client

import (
	"context"
	"net/http"

	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
)

// As many as the API gives on one page.
var wholePage int64 = 200

// coalesce says how each kind is listed below its parent, and read by itself.
func (c *Client) coalesce() {
	c.Topics = newCoalesced(
		func(ctx context.Context, cluster string) ([]api.Topic, error) {
			return All[api.Topic](func(cursor *string) (*http.Response, error) {
				return c.API.ListTopics(ctx, cluster, &api.ListTopicsParams{PageSize: &wholePage, Cursor: cursor})
			})
		},
		func(ctx context.Context, cluster, name string) (api.Topic, error) {
			return Read[api.Topic](c.API.GetTopic(ctx, cluster, name))
		},
		func(topic api.Topic) string { return topic.Name },
	)
	c.ACLs = newCoalesced(
		func(ctx context.Context, cluster string) ([]api.Acl, error) {
			return All[api.Acl](func(cursor *string) (*http.Response, error) {
				return c.API.ListAcls(ctx, cluster, &api.ListAclsParams{PageSize: &wholePage, Cursor: cursor})
			})
		},
		func(ctx context.Context, cluster, id string) (api.Acl, error) {
			return Read[api.Acl](c.API.GetAcl(ctx, cluster, id))
		},
		func(acl api.Acl) string { return acl.Id },
	)
	c.Scrams = newCoalesced(
		func(ctx context.Context, cluster string) ([]api.ScramCredential, error) {
			return All[api.ScramCredential](func(cursor *string) (*http.Response, error) {
				params := &api.ListScramCredentialsParams{PageSize: &wholePage, Cursor: cursor}
				return c.API.ListScramCredentials(ctx, cluster, params)
			})
		},
		func(ctx context.Context, cluster, id string) (api.ScramCredential, error) {
			return Read[api.ScramCredential](c.API.GetScramCredential(ctx, cluster, id))
		},
		func(credential api.ScramCredential) string { return credential.Id },
	)
	c.Quotas = newCoalesced(
		func(ctx context.Context, cluster string) ([]api.Quota, error) {
			return All[api.Quota](func(cursor *string) (*http.Response, error) {
				return c.API.ListQuotas(ctx, cluster, &api.ListQuotasParams{PageSize: &wholePage, Cursor: cursor})
			})
		},
		func(ctx context.Context, cluster, id string) (api.Quota, error) {
			return Read[api.Quota](c.API.GetQuota(ctx, cluster, id))
		},
		func(quota api.Quota) string { return quota.Id },
	)
	c.coalesceOrganization()
}

func (c *Client) coalesceOrganization() {
	c.Accounts = newCoalesced(
		func(ctx context.Context, project string) ([]api.ServiceAccount, error) {
			return All[api.ServiceAccount](func(cursor *string) (*http.Response, error) {
				params := &api.ListServiceAccountsParams{Project: project, PageSize: &wholePage, Cursor: cursor}
				return c.API.ListServiceAccounts(ctx, params)
			})
		},
		func(ctx context.Context, _, id string) (api.ServiceAccount, error) {
			return Read[api.ServiceAccount](c.API.GetServiceAccount(ctx, id))
		},
		func(account api.ServiceAccount) string { return account.Id },
	)
	c.RoleBindings = newCoalesced(
		func(ctx context.Context, organization string) ([]api.RoleBinding, error) {
			return All[api.RoleBinding](func(cursor *string) (*http.Response, error) {
				params := &api.ListRoleBindingsParams{PageSize: &wholePage, Cursor: cursor}
				return c.API.ListRoleBindings(ctx, organization, params)
			})
		},
		func(ctx context.Context, organization, id string) (api.RoleBinding, error) {
			return Read[api.RoleBinding](c.API.GetRoleBinding(ctx, organization, id))
		},
		func(binding api.RoleBinding) string { return binding.Id },
	)
}
