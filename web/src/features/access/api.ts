/** What the pages of access ask the API for. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, got, gotWithVersion } from "@/api/client";
import { all } from "@/api/pages";
import type { components } from "@/api/schema";
import { clusterQuery } from "@/shell/workspace";

type Schemas = components["schemas"];
export type Acl = Schemas["Acl"];
export type AclBinding = Schemas["AclBinding"];
export type AclResult = Schemas["AclResult"];
export type ApiKey = Schemas["ApiKey"];
export type AuditEntry = Schemas["AuditEntry"];
export type ClientSettings = Schemas["ClientSettings"];
export type Explanation = Schemas["AccessExplanation"];
export type IdentityProvider = Schemas["IdentityProvider"];
export type Quota = Schemas["Quota"];
export type QuotaEntity = Schemas["QuotaEntity"];
export type QuotaValues = Schemas["QuotaValues"];
export type RoleBinding = Schemas["RoleBinding"];
export type RoleName = Schemas["RoleName"];
export type ScramCredential = Schemas["ScramCredential"];
export type ServiceAccount = Schemas["ServiceAccount"];
export type Throttle = Schemas["Throttle"];

const page_size = 200;
/** The query of one page of a list. */
export const paged = (cursor: string | undefined) => (cursor ? { page_size, cursor } : { page_size });

export const serviceAccountsQuery = (project: string | undefined) =>
  queryOptions({
    queryKey: ["service-accounts", project],
    queryFn: () =>
      all<ServiceAccount>((cursor) =>
        got(api.GET("/v1/service-accounts", { params: { query: { ...paged(cursor), project: project ?? "" } } })),
      ),
    enabled: project !== undefined,
  });

/** A service account, with the version that a change must name. */
export const serviceAccountQuery = (service_account: string) =>
  queryOptions({
    queryKey: ["service-account", service_account],
    queryFn: () =>
      gotWithVersion(api.GET("/v1/service-accounts/{service_account}", { params: { path: { service_account } } })),
  });

export const apiKeysQuery = (service_account: string) =>
  queryOptions({
    queryKey: ["api-keys", service_account],
    queryFn: () =>
      all<ApiKey>((cursor) =>
        got(api.GET("/v1/api-keys", { params: { query: { ...paged(cursor), service_account } } })),
      ),
  });

/** Credentials of a cluster; with a service account, only its own. */
export const scramQuery = (cluster: string, service_account?: string) =>
  queryOptions({
    queryKey: ["scram-credentials", cluster, service_account],
    queryFn: () =>
      all<ScramCredential>((cursor) => {
        const query = { ...paged(cursor), ...(service_account ? { service_account } : {}) };
        return got(api.GET("/v1/clusters/{cluster}/scram-credentials", { params: { path: { cluster }, query } }));
      }),
  });

export const roleBindingsQuery = (organization: string | undefined, principal: string) =>
  queryOptions({
    queryKey: ["role-bindings", organization, principal],
    queryFn: () =>
      all<RoleBinding>((cursor) => {
        const params = { path: { organization: organization ?? "" }, query: { ...paged(cursor), principal } };
        return got(api.GET("/v1/organizations/{organization}/role-bindings", { params }));
      }),
    enabled: organization !== undefined,
  });

/** All ACLs of a cluster that deny: what a new one has to be compared with. */
export const denyingAclsQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["acls", cluster, "denying"],
    queryFn: () =>
      all<Acl>((cursor) => {
        const params = { path: { cluster }, query: { ...paged(cursor), permission: "deny" } };
        return got(api.GET("/v1/clusters/{cluster}/acls", { params }));
      }, 100),
  });

/** The ACLs of one principal. */
export const principalAclsQuery = (cluster: string, principal: string) =>
  queryOptions({
    queryKey: ["acls", cluster, "principal", principal],
    queryFn: () =>
      all<Acl>((cursor) => {
        const params = { path: { cluster }, query: { ...paged(cursor), principal } };
        return got(api.GET("/v1/clusters/{cluster}/acls", { params }));
      }),
    enabled: principal !== "",
  });

/** Some topics whose names begin so, and whether there are more. */
export const topicsQuery = (cluster: string, prefix: string) =>
  queryOptions({
    queryKey: ["topics", cluster, "beginning", prefix],
    queryFn: async () => {
      const params = { path: { cluster }, query: { page_size: 8, ...(prefix ? { prefix } : {}) } };
      const page = await got(api.GET("/v1/clusters/{cluster}/topics", { params }));
      return { names: page.items.map((topic) => topic.name), more: !!page.next_cursor };
    },
  });

const caPoolsPage = (cluster: string, cursor: string | undefined) =>
  got(api.GET("/v1/clusters/{cluster}/ca-pools", { params: { path: { cluster }, query: paged(cursor) } }));

export type CaPool = Awaited<ReturnType<typeof caPoolsPage>>["items"][number];

export const caPoolsQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["ca-pools", cluster],
    queryFn: () => all<CaPool>((cursor) => caPoolsPage(cluster, cursor)),
  });

export const identityProvidersQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["identity-providers", cluster],
    queryFn: () =>
      all<IdentityProvider>((cursor) => {
        const params = { path: { cluster }, query: paged(cursor) };
        return got(api.GET("/v1/clusters/{cluster}/identity-providers", { params }));
      }),
  });

export const quotasQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["quotas", cluster],
    queryFn: () =>
      all<Quota>((cursor) =>
        got(api.GET("/v1/clusters/{cluster}/quotas", { params: { path: { cluster }, query: paged(cursor) } })),
      ),
  });

/** Who waits now, asked again every two seconds. */
export const throttlesQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["throttles", cluster],
    queryFn: ({ signal }) =>
      got(api.GET("/v1/clusters/{cluster}/throttles", { params: { path: { cluster } }, signal })),
    refetchInterval: 2_000,
    staleTime: 0,
  });

export const networksQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["networks", cluster],
    queryFn: () => gotWithVersion(api.GET("/v1/clusters/{cluster}/networks", { params: { path: { cluster } } })),
  });

/** The entry of a cluster's audit trail that has this id; null if there is none, or not yet. */
export const auditEntryQuery = (cluster: string, id: string) =>
  queryOptions({
    queryKey: ["audit-entry", cluster, id],
    queryFn: async (): Promise<AuditEntry | null> => {
      const params = { path: { cluster }, query: { id } };
      return (await got(api.GET("/v1/clusters/{cluster}/audit", { params }))).items[0] ?? null;
    },
    enabled: id !== "",
  });

/** The service accounts that a cluster's clients may be, and how people know a principal. */
export function usePrincipals(cluster: string) {
  const { data } = useQuery(clusterQuery(cluster));
  const { data: accounts } = useQuery(serviceAccountsQuery(data?.project));
  return { accounts: accounts ?? [], project: data?.project, ready: accounts !== undefined };
}

/** The name of the service account that a principal is, if it is one. */
export function accountName(principal: string, accounts: readonly ServiceAccount[]): string | undefined {
  return accounts.find(({ id }) => principal === `User:${id}`)?.name;
}
