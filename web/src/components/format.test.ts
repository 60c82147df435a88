import { describe, expect, it } from "vitest";
import { ago, bytes, duration, localTime, moment, offset, zone } from "./format";

describe("an offset", () => {
  it("is every digit of it, or said to be about so much where the browser has lost some", () => {
    expect([offset(0), offset(1_234_567), offset(null)]).toEqual(["0", "1234567", "–"]);
    expect(offset(Number.MAX_SAFE_INTEGER)).toBe("9007199254740991");
    expect(offset(JSON.parse("9223372036854775807"))).toBe("about 9.22e+18");
  });
});

describe("times", () => {
  it("go into the browser's own field and come back as they were", () => {
    const at = "2026-11-28T12:34:56.000Z";
    expect(new Date(localTime(at, true)).toISOString()).toBe(at);
    expect(new Date(localTime(at)).toISOString()).toBe("2026-11-28T12:34:00.000Z");
    expect([localTime(undefined), localTime("never")]).toEqual(["", ""]);
  });

  it("are told in their two largest parts", () => {
    expect([duration(0), duration(0.2), duration(65), duration(90_061)]).toEqual([
      "0 s",
      "< 1 s",
      "1 min 5 s",
      "1 d 1 h",
    ]);
    expect(ago("2026-11-28T12:00:00Z", Date.parse("2026-11-28T12:05:07Z"))).toBe("5 min ago");
    expect(ago(null)).toBe("never");
  });

  it("names the zone of a moment", () => {
    const at = new Date("2026-11-28T12:34:56Z");
    const ahead = (minutes: number) => Object.assign(new Date(at), { getTimezoneOffset: () => -minutes });
    expect([0, 60, 330, -210, 720].map((minutes) => zone(ahead(minutes)))).toEqual([
      "UTC",
      "UTC+1",
      "UTC+5:30",
      "UTC-3:30",
      "UTC+12",
    ]);
    expect(moment("2026-11-28T12:34:56Z")).toMatch(/^2026-11-2[789] \d\d:\d\d:56 UTC/);
  });
});

it("sizes have a unit and no more digits than one reads", () => {
  expect([bytes(1), bytes(1_536), bytes(150 * 1_024 ** 3), bytes(null)]).toEqual(["1 B", "1.5 KiB", "150 GiB", "–"]);
});
