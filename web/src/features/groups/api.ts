/** Queries and changes of consumer groups. */
import { queryOptions } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import { usePages } from "@/api/pages";
import type { components } from "@/api/schema";
import type { Request } from "@/components/code";

export type Group = components["schemas"]["Group"];
export type GroupState = components["schemas"]["GroupState"];
export type GroupDetail = components["schemas"]["GroupDetail"];
export type GroupLag = components["schemas"]["GroupLag"];
export type PartitionLag = components["schemas"]["PartitionLag"];
export type History = components["schemas"]["GroupLagHistory"];
export type Reset = components["schemas"]["GroupOffsetsReset"];
export type ResetItem = components["schemas"]["GroupOffsetsResetItem"];
type Listing = components["schemas"]["GroupListing"];

/** What the list is narrowed to. */
export interface GroupFilter {
  contains?: string;
  state?: string;
}

export const states: Record<GroupState, string> = {
  empty: "empty",
  preparing_rebalance: "preparing rebalance",
  completing_rebalance: "completing rebalance",
  stable: "stable",
};

/** How often what moves is asked for again, in ms. */
const LIVE = 3_000;
const LIST = 10_000;

/** Pages of groups, each with its lag. */
export function useGroups(cluster: string, filter: GroupFilter) {
  const pages = usePages<Group, Listing>({
    key: ["groups", cluster, "list", filter],
    page: (cursor, signal) =>
      got(
        api.GET("/v1/clusters/{cluster}/groups", {
          params: { path: { cluster }, query: { ...filter, with: "lag", ...(cursor ? { cursor } : {}) } },
          signal,
        }),
      ),
    refetchInterval: LIST,
  });
  return { ...pages, silent: pages.data?.pages.flatMap((page) => page.silent_brokers) ?? [] };
}

export const groupQuery = (cluster: string, group: string) =>
  queryOptions({
    queryKey: ["groups", cluster, "group", group],
    queryFn: ({ signal }) =>
      got(api.GET("/v1/clusters/{cluster}/groups/{group}", { params: { path: { cluster, group } }, signal })),
    refetchInterval: LIVE,
  });

export const lagQuery = (cluster: string, group: string) =>
  queryOptions({
    queryKey: ["groups", cluster, "lag", group],
    queryFn: ({ signal }) =>
      got(api.GET("/v1/clusters/{cluster}/groups/{group}/lag", { params: { path: { cluster, group } }, signal })),
    refetchInterval: LIVE,
  });

/** How far back a chart of lag goes. */
export const spans = {
  hour: { label: "1 h", minutes: 60 },
  day: { label: "24 h", minutes: 1_440 },
  week: { label: "7 d", minutes: 10_080 },
} as const;

export type Span = keyof typeof spans;

export const historyQuery = (cluster: string, group: string, span: Span) =>
  queryOptions({
    queryKey: ["groups", cluster, "history", group, span],
    queryFn: ({ signal }) => {
      const from = new Date(Date.now() - spans[span].minutes * 60_000).toISOString();
      return got(
        api.GET("/v1/clusters/{cluster}/groups/{group}/lag/history", {
          params: { path: { cluster, group }, query: { from } },
          signal,
        }),
      );
    },
    refetchInterval: 15_000,
  });

export function groupPath(cluster: string, group: string): string {
  return `/v1/clusters/${cluster}/groups/${encodeURIComponent(group)}`;
}

export function resetRequest(cluster: string, group: string, body: Reset): Request {
  return { method: "POST", path: `${groupPath(cluster, group)}/offsets:reset`, body };
}

/** Why Terraform has nothing of groups. */
export const undeclared =
  "A group is there as soon as a consumer joins it, and where it reads moves on: Terraform has nothing to declare for it.";

/** Sets offsets, or tells what that would do. */
export async function reset(cluster: string, group: string, body: Reset, rehearsal: boolean): Promise<ResetItem[]> {
  const answer = await got(
    api.POST("/v1/clusters/{cluster}/groups/{group}/offsets:reset", {
      params: { path: { cluster, group }, query: { dry_run: rehearsal } },
      body,
    }),
  );
  return answer.items;
}

export function deleteGroup(cluster: string, group: string): Promise<unknown> {
  return got(api.DELETE("/v1/clusters/{cluster}/groups/{group}", { params: { path: { cluster, group } } }));
}

export function deleteOffsets(cluster: string, group: string, topic: string): Promise<unknown> {
  return got(
    api.DELETE("/v1/clusters/{cluster}/groups/{group}/offsets", {
      params: { path: { cluster, group }, query: { topic } },
    }),
  );
}
