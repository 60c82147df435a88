/** What arrives: asked each second until it is there. */
import { queryOptions } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import type { components } from "@/api/schema";
import type { Ready } from "./prepare";

export type Connection = components["schemas"]["Connection"];
export type Record = components["schemas"]["Record"];

const each = 1_000;

/** The first connection that showed the new credential. */
export const connectionQuery = ({ cluster, credential }: Ready) =>
  queryOptions({
    queryKey: ["first-connection", cluster.id, credential],
    queryFn: async ({ signal }): Promise<Connection | null> => {
      const params = { path: { cluster: cluster.id } };
      const { items } = await got(api.GET("/v1/clusters/{cluster}/connections", { params, signal }));
      const ours = items.filter((connection) => connection.credential === credential);
      return ours.sort((a, b) => a.opened_at.localeCompare(b.opened_at))[0] ?? null;
    },
    // Some clients say what software they are only after they have logged in.
    refetchInterval: (query) => (query.state.data?.software_name ? false : each),
    retry: false,
  });

/** The newest messages in the topic. */
export const messagesQuery = ({ cluster, connection: { topic } }: Ready) =>
  queryOptions({
    queryKey: ["first-messages", cluster.id, topic],
    queryFn: async ({ signal }): Promise<Record[]> => {
      const params = {
        path: { cluster: cluster.id, topic },
        query: { start: "last:5", max_bytes: 1_000, page_size: 5 },
      };
      const { items } = await got(api.GET("/v1/clusters/{cluster}/topics/{topic}/records", { params, signal }));
      return items.sort((a, b) => b.timestamp.localeCompare(a.timestamp));
    },
    refetchInterval: each,
    retry: false,
  });

/** A value as text, where it is one. */
export function text(value: string | null | undefined): string {
  if (value === null || value === undefined) return "(no value)";
  const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return `(${bytes.length} bytes that are no text)`;
  }
}
