/** Which usage is looked at, as the address has it. */

export type Range = "day" | "week" | "month" | "custom";
export type Granularity = "minute" | "hour" | "day";
export type Group = "none" | "cluster" | "project" | "principal";
export type MeterName =
  | "cost"
  | "produced_bytes"
  | "fetched_bytes"
  | "storage_byte_hours"
  | "partition_hours"
  | "requests";

export interface UsageSearch {
  range?: Range;
  /** Of the range `custom`: RFC 3339. */
  from?: string;
  to?: string;
  granularity?: Granularity;
  group?: Group;
  meter?: MeterName;
}

const ranges: readonly string[] = ["day", "week", "month", "custom"];
const granularities: readonly string[] = ["minute", "hour", "day"];
const groups: readonly string[] = ["none", "cluster", "project", "principal"];
const meters: readonly string[] = [
  "cost",
  "produced_bytes",
  "fetched_bytes",
  "storage_byte_hours",
  "partition_hours",
  "requests",
];

function moment(text: unknown): string | undefined {
  const at = typeof text === "string" ? new Date(text) : undefined;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : undefined;
}

/** What the address says; what it says wrong is left out. */
export function readUsage(search: Record<string, unknown>): UsageSearch {
  const one = (of: readonly string[], value: unknown) =>
    typeof value === "string" && of.includes(value) ? value : undefined;
  const found = {
    range: one(ranges, search.range),
    from: moment(search.from),
    to: moment(search.to),
    granularity: one(granularities, search.granularity),
    group: one(groups, search.group),
    meter: one(meters, search.meter),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as UsageSearch;
}

export interface Span {
  from: string;
  to: string;
  granularity: Granularity;
}

export const lengths: Record<Granularity, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const days: Record<Exclude<Range, "custom">, number> = { day: 1, week: 7, month: 30 };

/** From when to when, and in which steps: hours for up to a week, days for more, unless the address says otherwise. */
export function span(search: UsageSearch, now: number): Span {
  const range = search.range ?? "day";
  // To the end of the minute, so that a question stays the same while it is looked at.
  const end = search.range === "custom" && search.to ? Date.parse(search.to) : Math.ceil(now / 60_000) * 60_000;
  const length = (range === "custom" ? 1 : days[range]) * lengths.day;
  const begin = search.range === "custom" && search.from ? Date.parse(search.from) : end - length;
  const usual = end - begin > 7 * lengths.day ? "day" : "hour";
  return {
    from: new Date(Math.min(begin, end - 60_000)).toISOString(),
    to: new Date(end).toISOString(),
    granularity: search.granularity ?? usual,
  };
}
