import { describe, expect, it } from "vitest";
import { faults, nothing, partitionsOf, request } from "./form";

describe("the form of a reset", () => {
  it("reads partitions as numbers and ranges", () => {
    expect(partitionsOf("7, 0-2, 1")).toEqual([0, 1, 2, 7]);
    expect(["", "a", "3-1", "1,", "-1", "0-99999"].map(partitionsOf)).toEqual(Array(6).fill(undefined));
  });

  it("is the request that it shows", () => {
    expect(request(nothing)).toEqual({ to: { kind: "earliest" } });
    const some = { ...nothing, scope: "some" as const, topics: ["a", "b"], partitions: "1" };
    expect(request({ ...some, kind: "shift", by: "-5" })).toEqual({
      to: { kind: "shift", by: -5 },
      topics: [{ topic: "a" }, { topic: "b" }],
    });
    expect(request({ ...some, topics: ["a"], kind: "offset", offset: 7 })).toEqual({
      to: { kind: "offset", offset: 7 },
      topics: [{ topic: "a", partitions: [1] }],
    });
  });

  it("says what is wrong at its field", () => {
    const wrong = { ...nothing, scope: "some" as const };
    expect(Object.keys(faults({ ...wrong, kind: "time" }))).toEqual(["topics", "time"]);
    expect(Object.keys(faults({ ...wrong, topics: ["a"], partitions: "x", kind: "offset", offset: "1.5" }))).toEqual([
      "partitions",
      "offset",
    ]);
    expect(Object.keys(faults({ ...nothing, kind: "shift", by: 0 }))).toEqual(["by"]);
    expect(faults(nothing)).toEqual({});
  });
});
