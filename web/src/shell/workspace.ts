/** Which organization the console shows, and what there is in it. Kept in the browser, for it is a choice and no secret. */

import { useLocalStorage } from "@mantine/hooks";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import { all } from "@/api/pages";
import type { components } from "@/api/schema";

export type Organization = components["schemas"]["Organization"];
export type Project = components["schemas"]["Project"];
export type Cluster = components["schemas"]["Cluster"];

const page_size = 200;
const query = (cursor: string | undefined) => (cursor ? { page_size, cursor } : { page_size });

export const organizationsQuery = queryOptions({
  queryKey: ["organizations"],
  queryFn: () => all<Organization>((cursor) => got(api.GET("/v1/organizations", { params: { query: query(cursor) } }))),
  staleTime: 60_000,
});

export const projectsQuery = (organization: string | undefined) =>
  queryOptions({
    queryKey: ["projects", organization],
    queryFn: () =>
      all<Project>((cursor) =>
        got(api.GET("/v1/projects", { params: { query: { ...query(cursor), organization: organization ?? "" } } })),
      ),
    enabled: organization !== undefined,
  });

export const clustersQuery = (project: string) =>
  queryOptions({
    queryKey: ["clusters", project],
    queryFn: () =>
      all<Cluster>((cursor) => got(api.GET("/v1/clusters", { params: { query: { ...query(cursor), project } } }))),
  });

export const clusterQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["cluster", cluster],
    queryFn: () => got(api.GET("/v1/clusters/{cluster}", { params: { path: { cluster } } })),
  });

/** The organization that is chosen (the first one, if none is), all of them, and how to choose another. */
export function useWorkspace() {
  const [chosen, choose] = useLocalStorage<string>({
    key: "firn.organization",
    defaultValue: "",
    getInitialValueInEffect: false,
  });
  const { data: organizations = [], isPending, isSuccess } = useQuery(organizationsQuery);
  const organization = organizations.find((each) => each.id === chosen) ?? organizations[0];
  return { organizations, organization, choose, isPending, isSuccess };
}
