import { describe, expect, it } from "vitest";
import { counted, entityAttributes, entityOf, entityText, limits, quotaText, valuesOf } from "./entity";

describe("an entity", () => {
  it("is the same after a form had it", () => {
    const entities = [
      { user: { name: "alice" } },
      { user: { default: true }, client_id: { name: "app" } },
      { client_id: { default: true } },
      { ip: { name: "192.0.2.1" } },
    ];
    for (const entity of entities) expect(entityOf(valuesOf(entity))).toEqual(entity);
  });

  it("is told in words, and to Terraform by its name for the default", () => {
    const entity = { user: { default: true }, client_id: { name: "app" } };
    expect(entityText(entity)).toBe("any user, client id app");
    expect(entityAttributes(entity)).toEqual({ user: "<default>", client_id: "app", ip: undefined });
  });
});

describe("a limit", () => {
  it("has the largest unit in which it is short", () => {
    const [produce, , percentage] = counted;
    if (!produce || !percentage) throw new Error("these are there");
    expect(quotaText(1_572_864, produce)).toBe("1.5 MiB/s");
    expect(quotaText(2_048, produce)).toBe("2 KiB/s");
    expect(quotaText(1_000_001, produce)).toBe("1,000,001 B/s");
    expect(quotaText(150, percentage)).toBe("150 %");
  });

  it("is none where there is no number", () => {
    const found = limits({ quotas: { producer_byte_rate: 1, consumer_byte_rate: null } });
    expect(found.map(({ what }) => what.key)).toEqual(["producer_byte_rate"]);
  });
});
