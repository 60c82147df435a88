/** ACLs as a table: principals across, resources down, and in each cell what is allowed and denied. */
import type { Acl } from "../api";
import { resourceTypes } from "./words";

export interface Resource {
  key: string;
  resource_type: string;
  pattern_type: string;
  resource_name: string;
}

export interface AclTable {
  principals: string[];
  resources: Resource[];
  /** By {@link cellKey}. */
  cells: ReadonlyMap<string, Acl[]>;
}

export function cellKey(resource: string, principal: string): string {
  return `${resource}\n${principal}`;
}

const order: readonly string[] = ["cluster", ...resourceTypes.map(({ value }) => value)];

/** The wide ones first: all of a kind, prefixes, then names. */
function breadth({ pattern_type, resource_name }: Resource): number {
  if (pattern_type === "prefixed") return 1;
  return resource_name === "*" ? 0 : 2;
}

function inOrder(a: Resource, b: Resource): number {
  return (
    order.indexOf(a.resource_type) - order.indexOf(b.resource_type) ||
    breadth(a) - breadth(b) ||
    a.resource_name.localeCompare(b.resource_name)
  );
}

/** Arranges ACLs. `nameOf` is what principals are sorted by; everybody comes first. */
export function tableOf(acls: readonly Acl[], nameOf: (principal: string) => string): AclTable {
  const resources = new Map<string, Resource>();
  const principals = new Set<string>();
  const cells = new Map<string, Acl[]>();
  for (const acl of acls) {
    const { resource_type, pattern_type, resource_name, principal } = acl;
    const key = `${resource_type}\n${pattern_type}\n${resource_name}`;
    if (!resources.has(key)) resources.set(key, { key, resource_type, pattern_type, resource_name });
    principals.add(principal);
    const cell = cellKey(key, principal);
    const held = cells.get(cell);
    if (held) held.push(acl);
    else cells.set(cell, [acl]);
  }
  const name = (principal: string) => (principal === "User:*" ? "" : nameOf(principal));
  return {
    principals: [...principals].sort((a, b) => name(a).localeCompare(name(b))),
    resources: [...resources.values()].sort(inOrder),
    cells,
  };
}
