/** Usage, added up for a chart and a table. */
import type { components } from "@/api/schema";
import { bytes, count } from "@/components/format";
import { type Group, lengths, type MeterName, type Span } from "./span";

export type UsageSum = components["schemas"]["UsageSum"];

const hours = (value: number) => `${count(value)} h`;

export const meters: Record<MeterName, { label: string; shown: (value: number) => string }> = {
  cost: { label: "Cost", shown: (value) => value.toFixed(value < 0.01 && value > 0 ? 6 : 2) },
  produced_bytes: { label: "Produced", shown: bytes },
  fetched_bytes: { label: "Fetched", shown: bytes },
  storage_byte_hours: { label: "Storage, by the hour", shown: (value) => `${bytes(value)} h` },
  partition_hours: { label: "Partitions, by the hour", shown: hours },
  requests: { label: "Kafka requests", shown: count },
};

/** How much of a meter a sum tells. */
export function amount(sum: UsageSum, meter: MeterName): number {
  return meter === "cost" ? Number(sum.cost) : sum[meter];
}

/** By what a sum is grouped. `projects` tells the project of each cluster. */
export function keyOf(sum: UsageSum, group: Group, projects: ReadonlyMap<string, string>): string {
  if (group === "cluster") return sum.cluster ?? "";
  if (group === "project") return projects.get(sum.cluster ?? "") ?? "";
  if (group === "principal") return sum.principal ?? "";
  return "all";
}

export interface Total {
  key: string;
  values: Record<MeterName, number>;
  connections_peak: number;
}

const names = Object.keys(meters) as MeterName[];

/** One total for each key, the greatest of the meter first. */
export function totals(sums: UsageSum[], key: (sum: UsageSum) => string, meter: MeterName): Total[] {
  const found = new Map<string, Total>();
  for (const sum of sums) {
    const name = key(sum);
    const nothing = Object.fromEntries(names.map((each) => [each, 0])) as Record<MeterName, number>;
    const total = found.get(name) ?? { key: name, values: nothing, connections_peak: 0 };
    for (const each of names) total.values[each] += amount(sum, each);
    total.connections_peak = Math.max(total.connections_peak, sum.connections_peak);
    found.set(name, total);
  }
  return [...found.values()].sort((a, b) => b.values[meter] - a.values[meter]);
}

export interface Point {
  period: string;
  [series: string]: number | string;
}

/** How many keys have a series of their own; the rest is one together. */
export const mostSeries = 7;
export const others = "others";

/** The beginnings of all periods: also of those in which nothing was used. */
function periods({ from, to, granularity }: Span): string[] {
  const length = lengths[granularity];
  const first = Math.floor(Date.parse(from) / length) * length;
  const number = Math.min(Math.ceil((Date.parse(to) - first) / length), 3_000);
  return Array.from({ length: Math.max(number, 0) }, (_, index) => new Date(first + index * length).toISOString());
}

/** A point for each period, with a number for each of the `shown` keys. */
export function points(
  sums: UsageSum[],
  of: { span: Span; meter: MeterName; key: (sum: UsageSum) => string; shown: readonly string[] },
): Point[] {
  const nothing = Object.fromEntries(of.shown.map((key) => [key, 0]));
  const all = new Map<string, Point>(periods(of.span).map((period) => [period, { ...nothing, period }]));
  for (const sum of sums) {
    const point = all.get(new Date(sum.period_start).toISOString());
    if (!point) continue;
    const key = of.key(sum);
    const series = of.shown.includes(key) ? key : others;
    point[series] = Number(point[series] ?? 0) + amount(sum, of.meter);
  }
  return [...all.values()];
}
