import { describe, expect, test } from "vitest";
import type { ConfigKey } from "../api";
import { meaning, wrong, wrongName, wrongPartitions } from "./value";

function key(given: Partial<ConfigKey>): ConfigKey {
  return { name: "a.key", type: "long", default: null, documentation: "", enforced: true, ...given } as ConfigKey;
}

describe("a value", () => {
  test("of a number is bounded as the catalogue says", () => {
    const level = key({ type: "int", minimum: 1, maximum: 9, special: -1 });
    for (const good of ["-1", "1", "9", " 5 "]) expect(wrong(level, good)).toBeUndefined();
    for (const bad of ["", "0", "10", "-2", "1.5", "x"]) expect(wrong(level, bad)).toBeDefined();
    expect(wrong(level, "0")).toBe("It must be -1, or from 1 to 9.");
  });

  test("of 64 bits is compared to the last digit", () => {
    const long = key({ minimum: -1 });
    expect(wrong(long, "9223372036854775807")).toBeUndefined();
    expect(wrong(long, "9223372036854775808")).toBe("It must fit into 64 bits.");
    expect(wrong(key({ type: "int", minimum: 0 }), "2147483648")).toBe("It must fit into 32 bits.");
  });

  test("of words is one of them, of a list some of them", () => {
    const policy = key({ type: "list", values: ["compact", "delete"] });
    expect(wrong(policy, "compact, delete")).toBeUndefined();
    expect(wrong(policy, "compact,compact")).toBe("It names compact twice.");
    expect(wrong(policy, "keep")).toBe("keep is none of compact, delete.");
    const codec = key({ type: "string", values: ["gzip"] });
    expect([wrong(codec, "gzip"), wrong(codec, "zip")]).toEqual([undefined, "It must be one of gzip."]);
  });

  test("of a fraction and of a yes or no", () => {
    const ratio = key({ type: "double" });
    expect(["0", "0.5", "1"].map((each) => wrong(ratio, each))).toEqual([undefined, undefined, undefined]);
    expect(["", "1.1", "-1", "x"].every((each) => wrong(ratio, each) !== undefined)).toBe(true);
    expect([wrong(key({ type: "boolean" }), "TRUE"), wrong(key({ type: "boolean" }), "yes") !== undefined]).toEqual([
      undefined,
      true,
    ]);
  });

  test("says what it means", () => {
    expect(meaning({ name: "retention.ms", unit: "ms" }, "604800000")).toBe("7 d");
    expect(meaning({ name: "retention.ms", unit: "ms" }, "-1")).toBe("for ever");
    expect(meaning({ name: "max.message.bytes", unit: "bytes" }, "1048576")).toBe("1 MiB");
    expect(meaning({ name: "flush.ms", unit: "ms" }, "9223372036854775807")).toBe("never");
    expect(meaning({ name: "min.insync.replicas", unit: null }, "1")).toBeUndefined();
  });
});

test("a name and a number of partitions are what Kafka takes", () => {
  for (const good of ["a", "orders.v1_2-x", "a".repeat(249)]) expect(wrongName(good)).toBeUndefined();
  for (const bad of ["", ".", "..", "a b", "é", "a/b", "a".repeat(250)]) expect(wrongName(bad)).toBeDefined();
  expect([wrongPartitions(1), wrongPartitions(100_000)]).toEqual([undefined, undefined]);
  for (const bad of [0, 100_001, 1.5, ""]) expect(wrongPartitions(bad)).toBeDefined();
  expect(wrongPartitions(2, 3)).toBeDefined();
});
