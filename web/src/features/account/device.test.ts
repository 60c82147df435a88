import { describe, expect, it } from "vitest";
import { device } from "./device";

describe("device", () => {
  it("names browsers and systems", () => {
    const chrome =
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    expect(device(chrome)).toEqual({ name: "Chrome on Windows", kind: "computer" });
    expect(device(`${chrome} Edg/140.0`).name).toBe("Edge on Windows");
    const phone =
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
    expect(device(phone)).toEqual({ name: "Safari on iOS", kind: "phone" });
  });

  it("names programs as they call themselves", () => {
    expect(device("curl/8.14.1")).toEqual({ name: "curl/8.14.1", kind: "program" });
    expect(device("")).toEqual({ name: "An unnamed program", kind: "program" });
  });
});
