/** What somebody looks for, as the address says it and as the API is asked. */
import type { Query } from "./api";

export interface Search {
  /** `0,2`; all if it is not there. */
  partitions?: string;
  /** As the API writes it: `last:50`, `earliest`, `latest`, `offset:7`, `time:…`. */
  start?: string;
  filter?: string;
  /** Whether it goes on with what is produced meanwhile. */
  live?: boolean;
}

export const usualStart = "last:50";
/** The page after which nobody has to wait for the next one. */
export const pageSize = 100;
/** That of a live tail, which pauses after each: as large as the API allows, so that it keeps up. */
const livePageSize = 200;
/** How many seconds a request waits for the next record. */
const wait = 20;

const starts = /^(earliest|latest|last:[1-9]\d{0,5}|offset:\d{1,18}|time:[0-9TtZz:.+-]{10,40})$/;

/** What an address says; what makes no sense is left out. */
export function readSearch(search: Record<string, unknown>): Search {
  const read: Search = {};
  const partitions = String(search.partitions ?? "");
  if (/^\d{1,6}(,\d{1,6})*$/.test(partitions)) read.partitions = partitions;
  if (typeof search.start === "string" && starts.test(search.start)) read.start = search.start;
  if (typeof search.filter === "string" && search.filter.trim() !== "") read.filter = search.filter.slice(0, 2_000);
  if (search.live === true || search.live === "true") read.live = true;
  return read;
}

/** The request for its first page. */
export function firstRequest({ partitions, start, filter, live }: Search): Query {
  return {
    start: start ?? usualStart,
    page_size: live ? livePageSize : pageSize,
    ...(partitions ? { partitions } : {}),
    ...(filter ? { filter } : {}),
    ...(live ? { follow: true } : {}),
  };
}

/** The request for the page after it. */
export function nextRequest(search: Search, cursor: string): Query {
  return { ...firstRequest(search), cursor, ...(search.live ? { wait } : {}) };
}

/** The request's path, for whoever asks by other means. */
export function pathOf(cluster: string, topic: string, search: Search): string {
  const query = Object.entries(firstRequest(search)).map(
    ([name, value]) => `${name}=${encodeURIComponent(String(value))}`,
  );
  return `/v1/clusters/${cluster}/topics/${topic}/records?${query.join("&")}`;
}

/** The newest records are read from the top. */
export function newestFirst({ start, live }: Search): boolean {
  return live === true || (start ?? usualStart).startsWith("la");
}

export type StartKind = "last" | "earliest" | "latest" | "offset" | "time";

/** Kind and rest of a start. */
export function startOf(start: string = usualStart): { kind: StartKind; value: string } {
  const at = start.indexOf(":");
  const kind = (at < 0 ? start : start.slice(0, at)) as StartKind;
  return { kind, value: at < 0 ? "" : start.slice(at + 1) };
}

/** A start out of what a form holds; `undefined`: something is missing. */
export function startText(kind: StartKind, value: string): string | undefined {
  if (kind === "earliest" || kind === "latest") return kind;
  if (kind === "time") {
    const time = new Date(value);
    return value && !Number.isNaN(time.getTime()) ? `time:${time.toISOString()}` : undefined;
  }
  const text = `${kind}:${value.trim()}`;
  return starts.test(text) ? text : undefined;
}

interface Span {
  partition: number;
  position: number;
  end: number;
}

/** How many records a live tail has not come to yet. */
export function behind(now: readonly Span[]): number {
  return now.reduce((sum, { position, end }) => sum + Math.max(end - position, 0), 0);
}

/** How far a search is from where it began, between 0 and 1. */
export function shareDone(began: readonly Span[], now: readonly Span[]): number {
  const first = new Map(began.map((span) => [span.partition, span.position]));
  let done = 0;
  let all = 0;
  for (const { partition, position, end } of now) {
    const from = first.get(partition) ?? position;
    done += position - from;
    all += Math.max(end - from, 0);
  }
  return all === 0 ? 1 : Math.min(1, done / all);
}
