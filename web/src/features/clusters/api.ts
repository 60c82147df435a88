/** Queries and changes of clusters and projects. */
import { queryOptions } from "@tanstack/react-query";
import { api, got, gotWithVersion } from "@/api/client";
import { all } from "@/api/pages";
import type { components } from "@/api/schema";
import type { Cluster } from "@/shell/workspace";

export type { Cluster, Project } from "@/shell/workspace";
export type Overview = components["schemas"]["ClusterOverview"];
export type LimitUse = components["schemas"]["ClusterLimitUse"];
export type Expiring = components["schemas"]["Expiring"];
export type Connection = components["schemas"]["Connection"];
export type UsageSum = components["schemas"]["UsageSum"];
export type NewCluster = components["schemas"]["NewCluster"];
export type ClusterChange = components["schemas"]["ClusterChange"];
export type ProjectRequest = components["schemas"]["ProjectRequest"];

/** How often what moves is asked for again, in ms. */
const LIVE = 2_000;

/** All clusters of an organization that the person may see. */
export const clustersOfQuery = (organization: string | undefined) =>
  queryOptions({
    queryKey: ["clusters", "of", organization],
    queryFn: async () => {
      const clusters = await all<Cluster>((cursor) =>
        got(api.GET("/v1/clusters", { params: { query: { page_size: 200, ...(cursor ? { cursor } : {}) } } })),
      );
      return clusters.filter((cluster) => cluster.organization === organization);
    },
    enabled: organization !== undefined,
    refetchInterval: 15_000,
  });

/** A cluster with the version that a change must name. */
export const versionedClusterQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["cluster", cluster, "versioned"],
    queryFn: () => gotWithVersion(api.GET("/v1/clusters/{cluster}", { params: { path: { cluster } } })),
  });

export const overviewQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["cluster", cluster, "overview"],
    queryFn: ({ signal }) => got(api.GET("/v1/clusters/{cluster}/overview", { params: { path: { cluster } }, signal })),
    refetchInterval: LIVE,
  });

export const connectionsQuery = (cluster: string) =>
  queryOptions({
    queryKey: ["cluster", cluster, "connections"],
    queryFn: ({ signal }) =>
      got(api.GET("/v1/clusters/{cluster}/connections", { params: { path: { cluster } }, signal })),
    refetchInterval: LIVE,
  });

/** How far a chart of usage goes back, and how long one of its periods is. */
export interface Span {
  label: string;
  minutes: number;
  granularity: "minute" | "hour";
}

export const spans = {
  hour: { label: "1 h", minutes: 60, granularity: "minute" },
  day: { label: "24 h", minutes: 1_440, granularity: "minute" },
  week: { label: "7 d", minutes: 10_080, granularity: "hour" },
} as const satisfies Record<string, Span>;

export const usageQuery = (cluster: Cluster, span: Span) =>
  queryOptions({
    queryKey: ["cluster", cluster.id, "usage", span.granularity, span.minutes],
    queryFn: () => {
      const from = new Date(Date.now() - span.minutes * 60_000).toISOString();
      const to = new Date().toISOString();
      const query = { cluster: cluster.id, granularity: span.granularity, from, to, page_size: 200 };
      const path = { organization: cluster.organization };
      return all<UsageSum>(async (cursor) => {
        const page = await got(
          api.GET("/v1/organizations/{organization}/usage", {
            params: { path, query: { ...query, format: "json", ...(cursor ? { cursor } : {}) } },
          }),
        );
        // The route's other form is CSV, which was not asked for.
        return typeof page === "string" ? { items: [] } : page;
      });
    },
    // A day by the minute is several pages, of which the last minute alone is new.
    refetchInterval: span.minutes > 60 ? 60_000 : 15_000,
  });

export const createCluster = (body: NewCluster) => got(api.POST("/v1/clusters", { body }));

export const updateCluster = (cluster: string, etag: string, body: ClusterChange) =>
  got(api.PATCH("/v1/clusters/{cluster}", { params: { path: { cluster }, header: { "If-Match": etag } }, body }));

export const deleteCluster = (cluster: string) =>
  got(api.DELETE("/v1/clusters/{cluster}", { params: { path: { cluster } } }));

export const undeleteCluster = (cluster: string) =>
  got(api.POST("/v1/clusters/{cluster}/undelete", { params: { path: { cluster } } }));

export const suspendCluster = (cluster: string) =>
  got(api.POST("/v1/clusters/{cluster}/suspend", { params: { path: { cluster } } }));

export const resumeCluster = (cluster: string) =>
  got(api.POST("/v1/clusters/{cluster}/resume", { params: { path: { cluster } } }));

export const createProject = (organization: string, name: string) =>
  got(api.POST("/v1/projects", { body: { organization, name } }));

export const renameProject = (project: string, name: string) =>
  got(
    api.PATCH("/v1/projects/{project}", { params: { path: { project }, header: { "If-Match": "*" } }, body: { name } }),
  );

export const deleteProject = (project: string) =>
  got(api.DELETE("/v1/projects/{project}", { params: { path: { project }, header: { "If-Match": "*" } } }));
