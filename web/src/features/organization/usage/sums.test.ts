import { describe, expect, it } from "vitest";
import { readUsage, span } from "./span";
import { keyOf, others, points, totals, type UsageSum } from "./sums";

function sum(period_start: string, cluster: string, produced_bytes: number, cost: string): UsageSum {
  return {
    period_start,
    period_end: period_start,
    cluster,
    principal: null,
    bytes_in: 0,
    bytes_out: 0,
    produced_bytes,
    fetched_bytes: 0,
    requests: 1,
    connections_peak: produced_bytes,
    storage_byte_hours: 0,
    partition_hours: 0,
    cost,
  };
}

const sums = [
  sum("2026-11-01T00:00:00.000Z", "a", 1, "0.10"),
  sum("2026-11-01T02:00:00.000Z", "a", 2, "0.20"),
  sum("2026-11-01T02:00:00.000Z", "b", 30, "0.05"),
];

describe("totals", () => {
  it("add up, but for peaks, and are sorted by the meter that is shown", () => {
    const key = (each: UsageSum) => keyOf(each, "cluster", new Map());
    const [first, second] = totals(sums, key, "cost");
    expect(first?.key).toBe("a");
    expect(first?.values.cost).toBeCloseTo(0.3);
    expect(first?.values.produced_bytes).toBe(3);
    expect(first?.connections_peak).toBe(2);
    expect(second?.key).toBe("b");
    expect(totals(sums, key, "produced_bytes")[0]?.key).toBe("b");
  });

  it("know the project of a cluster", () => {
    const projects = new Map([["a", "p"]]);
    expect(totals(sums, (each) => keyOf(each, "project", projects), "cost").map(({ key }) => key)).toEqual(["p", ""]);
  });
});

describe("points", () => {
  it("have every period, and what has no series of its own together", () => {
    const found = points(sums, {
      span: { from: "2026-11-01T00:10:00Z", to: "2026-11-01T03:00:00Z", granularity: "hour" },
      meter: "produced_bytes",
      key: (each) => each.cluster ?? "",
      shown: ["a"],
    });
    expect(found.map(({ period, a, [others]: rest }) => [period.slice(11, 13), a, rest])).toEqual([
      ["00", 1, undefined],
      ["01", 0, undefined],
      ["02", 2, 30],
    ]);
  });
});

describe("span", () => {
  const now = Date.parse("2026-11-28T12:00:30Z");
  it("is a day by the hour if nothing is said", () => {
    expect(span({}, now)).toEqual({
      from: "2026-11-27T12:01:00.000Z",
      to: "2026-11-28T12:01:00.000Z",
      granularity: "hour",
    });
  });

  it("is by the day where it is long, and never empty", () => {
    expect(span({ range: "month" }, now).granularity).toBe("day");
    const turned = span({ range: "custom", from: "2026-11-02T00:00:00Z", to: "2026-11-01T00:00:00Z" }, now);
    expect(Date.parse(turned.from)).toBeLessThan(Date.parse(turned.to));
  });

  it("leaves out what an address says wrong", () => {
    expect(readUsage({ range: "decade", from: "x", group: "project" })).toEqual({ group: "project" });
  });
});
