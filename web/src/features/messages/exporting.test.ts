import { describe, expect, it } from "vitest";
import type { Message } from "./api";
import { loadDecoder, noSchemas } from "./decoders";
import { toBase64 } from "./decoders/bytes";
import { cell, csv, jsonLines } from "./exporting";

const base64 = (text: string) => toBase64(new TextEncoder().encode(text));

const message = (value: string | null, more: Partial<Message> = {}): Message => ({
  partition: 1,
  offset: 7,
  timestamp: "2026-11-28T22:00:00.000Z",
  timestamp_type: "create_time",
  key: base64("=cmd|' /C calc'!A0"),
  value: value === null ? null : base64(value),
  key_bytes: 18,
  value_bytes: value?.length ?? null,
  truncated: false,
  headers: [{ key: "source", value: base64('a "b"') }],
  compression: "none",
  ...more,
});

const options = async (masked = false) => {
  const decode = await loadDecoder("auto", noSchemas);
  return { masked, decoders: { key: decode, value: decode } };
};

describe("JSON lines", () => {
  it("nest JSON, keep long numbers as they are written, and mark bytes", async () => {
    const given = [
      message('{"a":[1]}'),
      message('{"id":12345678901234567890}'),
      message(null),
      message("x", { value: toBase64(Uint8Array.of(0xff, 0xfe)) }),
    ];
    const lines = jsonLines(given, await options())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0].value).toEqual({ a: [1] });
    expect(lines[1].value).toContain("12345678901234567890");
    expect(lines[2].value).toBeNull();
    expect(lines[3].value).toBe("base64://4=");
    expect(lines[0].headers).toEqual([{ key: "source", value: 'a "b"' }]);
  });

  it("hide everything that was said when they are masked", async () => {
    const text = jsonLines([message("secret")], await options(true)) + csv([message("secret")], await options(true));
    expect(text).not.toContain("secret");
    expect(text).not.toContain("calc");
    expect(text).not.toContain('a \\"b');
    expect(text).toContain("source");
  });
});

describe("CSV", () => {
  it("quotes what needs it, and no cell is a formula", async () => {
    expect(cell('a "b", c\n')).toBe('"a ""b"", c\n"');
    for (const formula of ["=1", "+1", "-1", "@a", "\ta"]) expect(cell(formula).startsWith("'")).toBe(true);
    expect(cell(-1)).toBe("-1");
    expect(cell(null)).toBe("");
    const [heading, row] = csv([message("v")], await options()).split("\r\n");
    expect(heading?.startsWith("partition,offset,timestamp")).toBe(true);
    expect(row).toContain(",'=cmd|' /C calc'!A0,v,");
  });
});
