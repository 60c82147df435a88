/** What the pages of an organization ask for. */
import { queryOptions, useQueries, useQuery } from "@tanstack/react-query";
import { api, got, gotWithVersion } from "@/api/client";
import { all } from "@/api/pages";
import type { components } from "@/api/schema";
import { clustersQuery, type Organization, projectsQuery } from "@/shell/workspace";

type Schemas = components["schemas"];
export type Member = Schemas["Member"];
export type RoleBinding = Schemas["RoleBinding"];
export type Invitation = Schemas["Invitation"];
export type ServiceAccount = Schemas["ServiceAccount"];
export type LoginProvider = Schemas["LoginProviderResource"];

const page_size = 200;
const paged = (cursor: string | undefined) => (cursor ? { page_size, cursor } : { page_size });

export const membersQuery = (organization: string) =>
  queryOptions({
    queryKey: ["members", organization],
    queryFn: () =>
      all<Member>((cursor) => {
        const params = { path: { organization }, query: paged(cursor) };
        return got(api.GET("/v1/organizations/{organization}/members", { params }));
      }),
  });

export const bindingsQuery = (organization: string) =>
  queryOptions({
    queryKey: ["role-bindings", organization],
    queryFn: () =>
      all<RoleBinding>((cursor) => {
        const params = { path: { organization }, query: paged(cursor) };
        return got(api.GET("/v1/organizations/{organization}/role-bindings", { params }));
      }),
  });

export const invitationsQuery = (organization: string) =>
  queryOptions({
    queryKey: ["invitations", organization],
    queryFn: () =>
      all<Invitation>((cursor) => {
        const params = { path: { organization }, query: paged(cursor) };
        return got(api.GET("/v1/organizations/{organization}/invitations", { params }));
      }),
  });

export const serviceAccountsQuery = (project: string) =>
  queryOptions({
    queryKey: ["service-accounts", project],
    queryFn: () =>
      all<ServiceAccount>((cursor) =>
        got(api.GET("/v1/service-accounts", { params: { query: { ...paged(cursor), project } } })),
      ),
  });

export const organizationQuery = (organization: string) =>
  queryOptions({
    queryKey: ["organization", organization],
    queryFn: () => gotWithVersion(api.GET("/v1/organizations/{organization}", { params: { path: { organization } } })),
  });

export const networksQuery = (organization: string) =>
  queryOptions({
    queryKey: ["organization-networks", organization],
    queryFn: () =>
      gotWithVersion(api.GET("/v1/organizations/{organization}/networks", { params: { path: { organization } } })),
  });

export const loginProvidersQuery = (organization: string) =>
  queryOptions({
    queryKey: ["login-providers", organization],
    queryFn: async () => {
      const params = { path: { organization } };
      return (await got(api.GET("/v1/organizations/{organization}/login-providers", { params }))).items;
    },
  });

export const organizationLimitsQuery = (organization: string) =>
  queryOptions({
    queryKey: ["organization-limits", organization],
    queryFn: async () => {
      const params = { path: { organization } };
      return (await got(api.GET("/v1/organizations/{organization}/limits", { params }))).items;
    },
  });

export const requestLimitsQuery = queryOptions({
  queryKey: ["request-limits"],
  queryFn: () => got(api.GET("/v1/limits")),
});

export const pricesQuery = queryOptions({
  queryKey: ["prices"],
  queryFn: () => got(api.GET("/v1/prices")),
  staleTime: 600_000,
});

/** A place where a role can be given. */
export interface Place {
  id: string;
  /** What it is called: `Cluster orders`. */
  label: string;
  kind: "organization" | "project" | "cluster";
  /** The project of a cluster. */
  project?: string;
}

/** What a place is called: its id, if it is not known. */
export function placeLabel(places: Place[], id: string): string {
  return places.find((place) => place.id === id)?.label ?? id;
}

/** The organization, its projects and their clusters: where roles hold, and what usage is of. */
export function usePlaces(organization: Organization): { places: Place[]; pending: boolean } {
  const projects = useQuery(projectsQuery(organization.id));
  const clusters = useQueries({ queries: (projects.data ?? []).map(({ id }) => clustersQuery(id)) });
  const places: Place[] = [{ id: organization.id, label: "The whole organization", kind: "organization" }];
  for (const [index, project] of (projects.data ?? []).entries()) {
    places.push({ id: project.id, label: `Project ${project.name}`, kind: "project" });
    for (const { id, name } of clusters[index]?.data ?? []) {
      places.push({ id, label: `Cluster ${name}`, kind: "cluster", project: project.id });
    }
  }
  return { places, pending: projects.isPending || clusters.some((each) => each.isPending) };
}
