import { describe, expect, it } from "vitest";
import { chart } from "./history";
import { ranges } from "./Members";

const time = (minute: number) => new Date(minute * 60_000).toISOString();

const point = (minute: number, topic: string, records: number, seconds: number | null = records) => ({
  time: time(minute),
  topic,
  lag_records: records,
  lag_seconds: seconds,
});

describe("the chart of lag", () => {
  it("has a line for each topic, the furthest behind first, by names without dots", () => {
    const points = [point(1, "a.b", 1), point(1, "c", 9), point(2, "a.b", 2)];
    const drawn = chart({ step_seconds: 60, points, complete: true }, "records");
    expect(drawn.topics).toEqual(["c", "a.b"]);
    expect(drawn.points).toEqual([
      { at: 60_000, t0: 9, t1: 1 },
      { at: 120_000, t0: null, t1: 2 },
    ]);
  });

  it("breaks where nobody looked, and where an age is not known", () => {
    const points = [point(1, "t", 5), point(100, "t", 6, null)];
    const drawn = chart({ step_seconds: 60, points, complete: true }, "seconds");
    expect(drawn.points.map((each) => each.t0)).toEqual([5, null, null]);
  });

  it("draws the six topics that are furthest behind", () => {
    const points = Array.from({ length: 9 }, (_, place) => point(1, `t${place}`, place));
    const drawn = chart({ step_seconds: 60, points, complete: true }, "records");
    expect([drawn.topics[0], drawn.topics.length, drawn.others]).toEqual(["t8", 6, 3]);
  });
});

describe("partitions", () => {
  it("are told as ranges", () => {
    expect(ranges([0, 1, 2, 5, 7, 8])).toBe("0–2, 5, 7–8");
    expect(ranges([])).toBe("");
  });
});
