/** Records of a topic: listed, one as a whole, produced. */
import { queryOptions } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import type { components, operations } from "@/api/schema";

export type Message = components["schemas"]["Record"];
export type MessagesPage = components["schemas"]["Records"];
export type NewMessage = components["schemas"]["NewRecord"];
export type Query = NonNullable<operations["list_records"]["parameters"]["query"]>;

export interface At {
  cluster: string;
  topic: string;
}

export const listMessages = (path: At, query: Query, signal?: AbortSignal) =>
  got(
    api.GET("/v1/clusters/{cluster}/topics/{topic}/records", {
      params: { path, query },
      ...(signal ? { signal } : {}),
    }),
  );

/** One record with all that it has, up to 8 MiB. */
export const messageQuery = (path: At, partition: number, offset: number) =>
  queryOptions({
    queryKey: ["record", path.cluster, path.topic, partition, offset],
    queryFn: () =>
      got(
        api.GET("/v1/clusters/{cluster}/topics/{topic}/partitions/{partition}/records/{offset}", {
          params: { path: { ...path, partition, offset } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Produces; what was wrong with any record is a problem, and nothing was appended. */
export const produce = (path: At, records: NewMessage[]) =>
  got(
    api.POST("/v1/clusters/{cluster}/topics/{topic}/records", {
      params: { path },
      body: { records },
    }),
  );

export const topicQuery = (path: At) =>
  queryOptions({
    // Beneath the topic, so that what changes one changes this; its own name, for other pages keep the version beside it.
    queryKey: ["topic", path.cluster, path.topic, "plain"],
    queryFn: () => got(api.GET("/v1/clusters/{cluster}/topics/{topic}", { params: { path } })),
  });

/** What tells a record from all others of its topic. */
export const idOf = ({ partition, offset }: Pick<Message, "partition" | "offset">) => `${partition}:${offset}`;

/** Why Terraform has nothing of messages. */
export const undeclared =
  "Records are read and written, not declared: Terraform makes topics and leaves what is in them alone.";
