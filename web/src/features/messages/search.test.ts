import { describe, expect, it } from "vitest";
import { localTime } from "@/components/format";
import {
  behind,
  firstRequest,
  newestFirst,
  nextRequest,
  pathOf,
  readSearch,
  shareDone,
  startOf,
  startText,
} from "./search";

describe("a search", () => {
  it("is read from an address, without what makes no sense", () => {
    expect(readSearch({ partitions: "0,2", start: "offset:7", filter: "json.a == 1", live: "true" })).toEqual({
      partitions: "0,2",
      start: "offset:7",
      filter: "json.a == 1",
      live: true,
    });
    expect(readSearch({ partitions: "x", start: "yesterday", filter: "  ", live: 7 })).toEqual({});
    expect(readSearch({ partitions: 3 })).toEqual({ partitions: "3" });
  });

  it("asks for the same with every page", () => {
    const search = { start: "earliest", filter: 'key == "a&b"' };
    expect(nextRequest(search, "c")).toEqual({ ...firstRequest(search), cursor: "c" });
    expect(nextRequest({ live: true }, "c").wait).toBe(20);
    expect(firstRequest({ live: true })).not.toHaveProperty("wait");
    expect(firstRequest({ live: true }).page_size).toBe(200);
    expect(pathOf("clu_a", "orders", search)).toContain("filter=key%20%3D%3D%20%22a%26b%22");
  });

  it("begins where a form says", () => {
    expect(startText("last", "50")).toBe("last:50");
    expect(startText("last", "0")).toBeUndefined();
    expect(startText("offset", "")).toBeUndefined();
    expect(startText("time", "")).toBeUndefined();
    expect(startText("latest", "7")).toBe("latest");
    const time = startText("time", "2026-11-28T12:00:00") ?? "";
    expect(localTime(startOf(time).value, true)).toBe("2026-11-28T12:00:00");
    expect(newestFirst({})).toBe(true);
    expect(newestFirst({ start: "earliest" })).toBe(false);
  });

  it("knows how far it is", () => {
    const span = (position: number) => [{ partition: 0, position, end: 100 }];
    expect(shareDone(span(0), span(25))).toBe(0.25);
    expect(shareDone(span(50), span(75))).toBe(0.5);
    expect(shareDone(span(100), span(100))).toBe(1);
    expect(behind([...span(25), { partition: 1, position: 7, end: 9 }])).toBe(77);
    expect(behind([{ partition: 0, position: 9, end: 7 }])).toBe(0);
  });
});
