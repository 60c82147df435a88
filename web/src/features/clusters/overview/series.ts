/** The points of the throughput chart: from usage of past minutes, or from what the page has seen itself. */
import type { Overview, Span, UsageSum } from "../api";

export interface Point {
  /** Ms since 1970. */
  at: number;
  /** Bytes in a second. */
  produced: number;
  fetched: number;
}

/** How many points of its own the page keeps: five minutes of them. */
const KEPT = 150;

/** Adds what went on at a moment; the same moment once. */
export function withNow(points: Point[], { throughput }: Overview, at: number): Point[] {
  if (points.at(-1)?.at === at) return points;
  const point = {
    at,
    produced: throughput.produced_bytes_per_second,
    fetched: throughput.fetched_bytes_per_second,
  };
  return [...points, point].slice(-KEPT);
}

/**
 * A point for each period of the span that has ended, oldest first. Periods in which nothing was used have no sum: they are zero. The one that
 * runs is left out, for it would always look like a fall.
 */
export function ofUsage(sums: UsageSum[], span: Span, now: number): Point[] {
  const period = (span.granularity === "minute" ? 1 : 60) * 60_000;
  const seconds = period / 1_000;
  const used = new Map(sums.map((sum) => [new Date(sum.period_start).getTime(), sum]));
  const end = Math.floor(now / period) * period;
  const points: Point[] = [];
  for (let at = end - span.minutes * 60_000; at < end; at += period) {
    const sum = used.get(at);
    points.push({
      at,
      produced: (sum?.produced_bytes ?? 0) / seconds,
      fetched: (sum?.fetched_bytes ?? 0) / seconds,
    });
  }
  return points;
}
