import { describe, expect, it } from "vitest";
import { difference } from "./difference";
import { readAudit } from "./search";

describe("difference", () => {
  it("tells what was made, changed and taken", () => {
    const { changes, rest } = difference({
      before: { limits: { topics: 1, groups: 5 }, gone: true },
      after: { limits: { topics: 2, groups: 5 }, new: [1] },
      reason: "asked",
    });
    expect(changes).toEqual([
      { path: "limits.topics", before: 1, after: 2 },
      { path: "gone", before: true },
      { path: "new", after: [1] },
    ]);
    expect(rest).toEqual({ reason: "asked" });
  });

  it("reads from and to", () => {
    const { changes } = difference({ name: { from: "a", to: "b" }, role: { from: null, to: "viewer" } });
    expect(changes).toEqual([
      { path: "name", before: "a", after: "b" },
      { path: "role", after: "viewer" },
    ]);
  });

  it("takes anything", () => {
    for (const odd of [null, undefined, "text", 7, []]) expect(difference(odd)).toEqual({ changes: [], rest: {} });
    expect(difference({ before: null, after: null }).changes).toEqual([]);
  });
});

describe("readAudit", () => {
  it("leaves out what an address says wrong", () => {
    expect(readAudit({ decision: "maybe", from: "x", principal: " ", action: "create_topic", other: 1 })).toEqual({
      action: "create_topic",
    });
  });
});
