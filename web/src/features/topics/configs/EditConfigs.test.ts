import { expect, test } from "vitest";
import { differences, merged } from "./EditConfigs";

test("what saving would change is what differs, and nothing else", () => {
  const before = { "retention.ms": "1000", "cleanup.policy": "delete", "segment.ms": "5" };
  const after = { "retention.ms": "2000", "cleanup.policy": " delete ", "flush.ms": "7" };
  expect(differences(before, after)).toEqual([
    { name: "flush.ms", before: null, after: "7" },
    { name: "retention.ms", before: "1000", after: "2000" },
    { name: "segment.ms", before: "5", after: null },
  ]);
  expect(differences(before, before)).toEqual([]);
});

test("changes that were made in the form survive that the topic is read anew", () => {
  const now = { "retention.ms": "3000", "cleanup.policy": "compact" };
  expect(merged(now, { "retention.ms": "2000", "cleanup.policy": null })).toEqual({ "retention.ms": "2000" });
});
