import { expect, test } from "vitest";
import type { Overview, UsageSum } from "../api";
import { ofUsage, withNow } from "./series";

const hour = { label: "1 h", minutes: 60, granularity: "minute" } as const;
const start = Date.UTC(2026, 10, 28, 12, 0, 0);

function sum(minute: number, produced: number): UsageSum {
  return {
    period_start: new Date(start + minute * 60_000).toISOString(),
    period_end: new Date(start + (minute + 1) * 60_000).toISOString(),
    bytes_in: 0,
    bytes_out: 0,
    produced_bytes: produced,
    fetched_bytes: 0,
    requests: 0,
    connections_peak: 0,
    storage_byte_hours: 0,
    partition_hours: 0,
  } as UsageSum;
}

test("every minute of the span has a point, also where nothing was used", () => {
  const points = ofUsage([sum(58, 600), sum(60, 6_000)], hour, start + 60 * 60_000 + 30_000);
  expect(points).toHaveLength(60);
  expect(points.at(-2)?.produced).toBe(10);
  expect(points.at(-1)).toEqual({ at: start + 59 * 60_000, produced: 0, fetched: 0 });
  expect(points[0]?.at).toBe(start);
});

test("the page keeps the last five minutes of what it has seen", () => {
  const overview = {
    throughput: { produced_bytes_per_second: 5, fetched_bytes_per_second: 7, requests_per_second: 1 },
  } as Overview;
  let points = withNow([], overview, 0);
  for (let turn = 1; turn < 400; turn += 1) points = withNow(points, overview, turn);
  expect(points).toHaveLength(150);
  expect(points.at(-1)).toEqual({ at: 399, produced: 5, fetched: 7 });
});
