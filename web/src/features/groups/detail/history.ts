/** The points of the chart of lag: a line for each topic. */
import type { History } from "../api";

export type Measure = "records" | "seconds";

export interface Chart {
  /** The topics that have a line, those that were furthest behind first. */
  topics: string[];
  /** How many topics have none. */
  others: number;
  /** Each time with the lag of each topic; null where it is not known, so that the line breaks. */
  points: ({ at: number } & { [topic: `t${number}`]: number | null })[];
}

/** How many lines one can tell apart. */
const LINES = 6;

export function chart({ points, step_seconds: step }: History, measure: Measure): Chart {
  const of = new Map<string, Map<number, number | null>>();
  for (const point of points) {
    const line = of.get(point.topic) ?? new Map<number, number | null>();
    line.set(new Date(point.time).getTime(), measure === "records" ? point.lag_records : (point.lag_seconds ?? null));
    of.set(point.topic, line);
  }
  const most = (topic: string) => Math.max(0, ...[...(of.get(topic)?.values() ?? [])].map((value) => value ?? 0));
  const sorted = [...of.keys()].sort((a, b) => most(b) - most(a) || a.localeCompare(b));
  const topics = sorted.slice(0, LINES);
  const times = [...new Set(points.map((point) => new Date(point.time).getTime()))].sort((a, b) => a - b);
  const drawn: Chart["points"] = [];
  for (const at of times) {
    const last = drawn.at(-1);
    // Old minutes are thinned to one of ten: only a longer gap is one.
    if (last && at - last.at > Math.max(step * 2, 1_200) * 1_000)
      drawn.push(line(last.at + step * 1_000, topics, () => null));
    drawn.push(line(at, topics, (topic) => of.get(topic)?.get(at) ?? null));
  }
  return { topics, others: sorted.length - topics.length, points: drawn };
}

function line(at: number, topics: string[], value: (topic: string) => number | null): Chart["points"][number] {
  // Names of topics may hold dots, which the chart would take for paths.
  return { at, ...Object.fromEntries(topics.map((topic, place) => [`t${place}`, value(topic)])) };
}
