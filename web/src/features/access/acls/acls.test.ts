import { describe, expect, it } from "vitest";
import type { Acl, AclBinding } from "../api";
import { beatenBy, covered } from "./conflicts";
import { bindingsOf, type Grant, missing } from "./grant";
import { tableOf } from "./table";
import { sentence } from "./words";

const grant: Grant = {
  principal: "User:alice",
  host: "",
  what: "both",
  topic: { kind: "prefixed", name: "orders." },
  group: { kind: "literal", name: "billing" },
  create: false,
  resourceType: "topic",
  operation: "read",
  permission: "allow",
};

const base: AclBinding = {
  resource_type: "topic",
  pattern_type: "literal",
  resource_name: "orders",
  principal: "User:alice",
  host: "*",
  operation: "write",
  permission: "allow",
};

function stored(change: Partial<AclBinding>): Acl {
  const id = `acl_${JSON.stringify(change)}`;
  return { ...base, ...change, id, cluster: "clu_a", created_at: "2026-11-28T00:00:00Z" };
}

describe("a grant", () => {
  it("to produce takes Write alone, to consume Read on topic and group", () => {
    const made = bindingsOf(grant).map((acl) => `${acl.resource_type} ${acl.operation} ${acl.pattern_type}`);
    expect(made).toEqual(["topic write prefixed", "topic read prefixed", "group read literal"]);
  });

  it("of everything is a literal star, and of the cluster its one name", () => {
    expect(bindingsOf({ ...grant, what: "produce", topic: { kind: "all", name: "" } })[0]?.resource_name).toBe("*");
    const single = bindingsOf({ ...grant, what: "single", resourceType: "cluster", operation: "alter" });
    expect(single.map((acl) => acl.resource_name)).toEqual(["kafka-cluster"]);
  });

  it("says what is missing", () => {
    expect(missing(grant)).toBeUndefined();
    expect(missing({ ...grant, group: { kind: "literal", name: " " } })).toBe("Name the group.");
    expect(missing({ ...grant, principal: "" })).toBe("Choose who.");
  });
});

describe("a deny", () => {
  it("covers by name, by prefix and by star", () => {
    const literal = (resource_name: string) => ({ pattern_type: "literal", resource_name });
    const prefixed = (resource_name: string) => ({ pattern_type: "prefixed", resource_name });
    expect(covered(literal("orders"), literal("*"))).toBe("whole");
    expect(covered(literal("orders"), prefixed("ord"))).toBe("whole");
    expect(covered(prefixed("orders."), prefixed("ord"))).toBe("whole");
    expect(covered(prefixed("ord"), prefixed("orders."))).toBe("part");
    expect(covered(prefixed("ord"), literal("orders"))).toBe("part");
    expect(covered(literal("*"), literal("orders"))).toBe("part");
    expect(covered(literal("orders"), literal("order"))).toBe("none");
  });

  it("beats what it covers wholly or in part, and nothing else", () => {
    const beaten = (change: Partial<AclBinding>) =>
      beatenBy(base, [stored({ permission: "deny", ...change })])[0]?.wholly;
    expect(beaten({})).toBe(true);
    expect(beaten({ operation: "all", principal: "User:*" })).toBe(true);
    expect(beaten({ host: "10.0.0.1" })).toBe(false);
    expect(beaten({ operation: "describe" })).toBe(false);
    expect(beaten({ operation: "read" })).toBeUndefined();
    expect(beaten({ principal: "User:bob" })).toBeUndefined();
    expect(beaten({ resource_type: "group" })).toBeUndefined();
    expect(beatenBy(base, [stored({})])).toEqual([]);
  });
});

describe("the table", () => {
  it("has everybody first, and wide resources before narrow ones", () => {
    const acls = [
      stored({ resource_name: "zoo" }),
      stored({ resource_name: "*" }),
      stored({ resource_name: "a", pattern_type: "prefixed", principal: "User:*" }),
      stored({ resource_type: "cluster", resource_name: "kafka-cluster" }),
      stored({ resource_name: "zoo", operation: "read" }),
    ];
    const table = tableOf(acls, (principal) => principal);
    expect(table.principals).toEqual(["User:*", "User:alice"]);
    expect(table.resources.map(({ resource_name }) => resource_name)).toEqual(["kafka-cluster", "*", "a", "zoo"]);
    expect([...table.cells.values()].map((cell) => cell.length).sort()).toEqual([1, 1, 1, 2]);
  });
});

it("a binding is a sentence", () => {
  expect(sentence({ ...base, resource_name: "*", permission: "deny" })).toBe("Deny User:alice write on all topics");
  expect(sentence({ ...base, pattern_type: "prefixed", host: "10.0.0.1" })).toBe(
    "Allow User:alice write on topics that begin with orders from 10.0.0.1",
  );
});
