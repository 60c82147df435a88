/** What the pages of topics ask the API for. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, got, gotWithVersion } from "@/api/client";
import { all } from "@/api/pages";
import type { components } from "@/api/schema";
import type { Sort } from "./routes";

type Schemas = components["schemas"];
export type ListedTopic = Schemas["ListedTopic"];
export type Topic = Schemas["Topic"];
export type NewTopic = Schemas["NewTopic"];
export type TopicChange = Schemas["TopicChange"];
export type TopicResult = Schemas["TopicResult"];
export type TopicConfig = Schemas["TopicConfig"];
export type ConfigKey = Schemas["TopicConfigKey"];
export type Partition = Schemas["Partition"];

/** Of a list: the first page is small, so that it is there soon; those that scrolling asks for are as large as the API gives. */
const firstPage = 200;
const laterPage = 1_000;
/** How many topics one request may delete. */
export const batch = 100;

export const topicsQuery = (cluster: string, contains: string, sort: Sort) =>
  infiniteQueryOptions({
    queryKey: ["topics", cluster, { contains, sort }],
    queryFn: ({ pageParam, signal }) =>
      got(
        api.GET("/v1/clusters/{cluster}/topics", {
          params: {
            path: { cluster },
            query: {
              sort,
              with: "sizes",
              page_size: pageParam ? laterPage : firstPage,
              ...(contains ? { contains } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    staleTime: 15_000,
    // Comparing ten thousand topics with the ones before takes longer than showing those that are seen.
    structuralSharing: false,
  });

export const topicQuery = (cluster: string, topic: string) =>
  queryOptions({
    queryKey: ["topic", cluster, topic],
    queryFn: () =>
      gotWithVersion(api.GET("/v1/clusters/{cluster}/topics/{topic}", { params: { path: { cluster, topic } } })),
  });

export const topicConfigsQuery = (cluster: string, topic: string) =>
  queryOptions({
    queryKey: ["topic", cluster, topic, "configs"],
    queryFn: () =>
      all<TopicConfig>((cursor) =>
        got(
          api.GET("/v1/clusters/{cluster}/topics/{topic}/configs", {
            params: { path: { cluster, topic }, query: { page_size: 200, ...(cursor ? { cursor } : {}) } },
          }),
        ),
      ),
  });

/** The size of one topic: what the list of that very name says. */
export const topicSizeQuery = (cluster: string, topic: string) =>
  queryOptions({
    queryKey: ["topic", cluster, topic, "size"],
    queryFn: async () => {
      const query = { prefix: topic, with: "sizes", page_size: 1 };
      const { items } = await got(api.GET("/v1/clusters/{cluster}/topics", { params: { path: { cluster }, query } }));
      const found = items.find(({ name }) => name === topic);
      return { bytes: found?.size_bytes ?? null, records: found?.records ?? null };
    },
    refetchInterval: 10_000,
  });

export const topicGroupsQuery = (cluster: string, topic: string) =>
  queryOptions({
    queryKey: ["topic", cluster, topic, "groups"],
    queryFn: () =>
      got(api.GET("/v1/clusters/{cluster}/topics/{topic}/groups", { params: { path: { cluster, topic } } })),
    refetchInterval: 10_000,
  });

export const partitionsPage = (cluster: string, topic: string) => (cursor: string | undefined, signal: AbortSignal) =>
  got(
    api.GET("/v1/clusters/{cluster}/topics/{topic}/partitions", {
      params: { path: { cluster, topic }, query: { page_size: 200, ...(cursor ? { cursor } : {}) } },
      signal,
    }),
  );

export const catalogueQuery = queryOptions({
  queryKey: ["topic-configs"],
  queryFn: async () => (await got(api.GET("/v1/topic-configs"))).items,
  staleTime: Number.POSITIVE_INFINITY,
});

export function createTopic(cluster: string, body: NewTopic): Promise<Topic> {
  return got(api.POST("/v1/clusters/{cluster}/topics", { params: { path: { cluster } }, body }));
}

/** Asks what creating it would come to; nothing is kept. */
export function rehearseTopic(cluster: string, body: NewTopic, signal: AbortSignal): Promise<Topic> {
  const params = { path: { cluster }, query: { dry_run: true } };
  return got(api.POST("/v1/clusters/{cluster}/topics", { params, body, signal }));
}

export function changeTopic(cluster: string, topic: string, etag: string, body: TopicChange): Promise<Topic> {
  const params = { path: { cluster, topic }, header: { "If-Match": etag } };
  return got(api.PATCH("/v1/clusters/{cluster}/topics/{topic}", { params, body }));
}

/** Asks what a change would come to; nothing is kept. */
export function rehearseChange(cluster: string, topic: string, body: TopicChange, signal: AbortSignal): Promise<Topic> {
  const params = { path: { cluster, topic }, header: { "If-Match": "*" }, query: { dry_run: true } };
  return got(api.PATCH("/v1/clusters/{cluster}/topics/{topic}", { params, body, signal }));
}

export function deleteTopic(cluster: string, topic: string): Promise<unknown> {
  return got(api.DELETE("/v1/clusters/{cluster}/topics/{topic}", { params: { path: { cluster, topic } } }));
}

/** Deletes many, a hundred at a time, and tells after each hundred what became of them. */
export async function deleteTopics(
  cluster: string,
  names: readonly string[],
  told: (results: TopicResult[]) => void,
): Promise<void> {
  for (let from = 0; from < names.length; from += batch) {
    const body = { delete: names.slice(from, from + batch) };
    const { results } = await got(
      api.POST("/v1/clusters/{cluster}/topics/batch", { params: { path: { cluster } }, body }),
    );
    told(results);
  }
}
