import { expect, test } from "vitest";
import { amount, limitLabel, share } from "./limits";

test("a share of a limit is between nothing and all of it", () => {
  expect(share({ used: 5, limit: 10 })).toBe(0.5);
  expect(share({ used: 50, limit: 10 })).toBe(1);
  expect(share({ used: 0, limit: 0 })).toBe(1);
});

test("limits have names and units that people read", () => {
  expect(limitLabel("ingress_bytes_per_second")).toBe("Ingress");
  expect(limitLabel("acls")).toBe("ACLs");
  expect(limitLabel("something_new")).toBe("something_new");
  expect(amount(1_048_576, "bytes_per_second")).toBe("1 MiB/s");
  expect(amount(3, "count")).toBe("3");
});
