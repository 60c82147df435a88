/** The form of a reset, and the request that it is. */
import type { Reset } from "../api";

export type Kind = "earliest" | "latest" | "time" | "offset" | "shift";

export interface Values extends Record<string, unknown> {
  /** All topics with committed offsets, or some. */
  scope: "all" | "some";
  topics: string[];
  /** Of a single topic: `0-3, 7`; empty for all. */
  partitions: string;
  kind: Kind;
  /** As the browser's field has it: local, to the minute. */
  time: string;
  offset: number | string;
  by: number | string;
}

export const nothing: Values = {
  scope: "all",
  topics: [],
  partitions: "",
  kind: "earliest",
  time: "",
  offset: 0,
  by: -100,
};

export const kinds: { value: Kind; label: string; hint: string }[] = [
  { value: "earliest", label: "The beginning", hint: "All records that are still there are read again." },
  { value: "latest", label: "The end", hint: "Everything up to now is skipped." },
  { value: "time", label: "A moment", hint: "The first records that are not older." },
  { value: "offset", label: "An offset", hint: "The same in every partition." },
  { value: "shift", label: "So many records away", hint: "Backward if it is negative, else forward." },
];

/** What is typed as partitions, in order; `undefined`: it cannot be read. */
export function partitionsOf(text: string): number[] | undefined {
  const all = new Set<number>();
  for (const part of text.split(",").map((part) => part.trim())) {
    const range = /^(\d{1,6})(?:\s*[-–]\s*(\d{1,6}))?$/.exec(part);
    if (!range) return undefined;
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    if (last < first || last - first >= 10_000) return undefined;
    for (let number = first; number <= last; number += 1) all.add(number);
  }
  return [...all].sort((a, b) => a - b);
}

function whole(value: number | string): number | undefined {
  const number = typeof value === "number" ? value : Number(value || Number.NaN);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** What is wrong with the form, by field. */
export function faults(values: Values): Record<string, string> {
  const wrong: Record<string, string> = {};
  if (values.scope === "some" && values.topics.length === 0) wrong.topics = "Choose at least one topic";
  const partitions = values.partitions.trim();
  if (values.scope === "some" && values.topics.length === 1 && partitions && !partitionsOf(partitions))
    wrong.partitions = "Numbers and ranges, such as 0-3, 7";
  if (values.kind === "time" && Number.isNaN(new Date(values.time || "never").getTime()))
    wrong.time = "Choose a day and a time";
  if (values.kind === "offset" && (whole(values.offset) ?? -1) < 0) wrong.offset = "A whole number from 0 on";
  if (values.kind === "shift" && !whole(values.by)) wrong.by = "A whole number other than 0";
  return wrong;
}

function target(values: Values): Reset["to"] {
  switch (values.kind) {
    case "time":
      return { kind: "time", time: new Date(values.time).toISOString() };
    case "offset":
      return { kind: "offset", offset: whole(values.offset) ?? 0 };
    case "shift":
      return { kind: "shift", by: whole(values.by) ?? 0 };
    default:
      return { kind: values.kind };
  }
}

/** The request. The form must be without faults. */
export function request(values: Values): Reset {
  const to = target(values);
  if (values.scope === "all") return { to };
  const some = values.topics.length === 1 ? values.partitions.trim() : "";
  const partitions = some ? partitionsOf(some) : undefined;
  return { to, topics: values.topics.map((topic) => ({ topic, ...(partitions ? { partitions } : {}) })) };
}
