import { describe, expect, it } from "vitest";
import type { Message } from "./api";
import { toBase64 } from "./decoders/bytes";
import { draftOf, emptyDraft, faultOf, recordOf, requests } from "./drafts";

const base64 = (text: string) => toBase64(new TextEncoder().encode(text));

const message: Message = {
  partition: 2,
  offset: 7,
  timestamp: "2026-11-28T22:00:00.000Z",
  timestamp_type: "create_time",
  key: base64("k"),
  value: toBase64(Uint8Array.of(0, 255)),
  key_bytes: 1,
  value_bytes: 2,
  truncated: false,
  headers: [{ key: "h", value: null }],
  compression: "none",
};

describe("a draft", () => {
  it("of a record that was found gives back the same bytes", () => {
    expect(recordOf(draftOf(message))).toEqual({
      key: { text: "k" },
      value: { base64: "AP8=" },
      headers: [{ key: "h", value: null }],
    });
  });

  it("keeps a tombstone and an empty value apart", () => {
    expect(recordOf(draftOf({ ...message, value: null })).value).toBeNull();
    expect(recordOf(draftOf({ ...message, value: "" })).value).toEqual({ text: "" });
  });

  it("sends JSON as it was typed", () => {
    const draft = {
      ...emptyDraft(),
      value: { way: "json" as const, text: '{"id":12345678901234567890}' },
      partition: "3",
    };
    expect(recordOf(draft)).toEqual({ partition: 3, value: { text: '{"id":12345678901234567890}' } });
    expect(faultOf(draft.value)).toBeUndefined();
    expect(faultOf({ way: "json", text: "{" })).toContain("no JSON");
    expect(faultOf({ way: "base64", text: "?" })).toContain("base64");
    expect(faultOf({ way: "base64", text: "AP8" })).toContain("fours");
  });
});

describe("many records", () => {
  it("go in requests that are small enough, in order", () => {
    const small = Array.from({ length: 250 }, (_, n) => ({ value: { text: String(n) } }));
    expect(requests(small).map((each) => each.length)).toEqual([100, 100, 50]);
    expect(requests(small).flat()).toEqual(small);
    const large = Array.from({ length: 3 }, () => ({ value: { text: "x".repeat(500_000) } }));
    expect(requests(large)).toHaveLength(3);
  });
});
