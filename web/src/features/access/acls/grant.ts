/** What somebody is to be able to do, as people say it, and the ACLs that this takes. */
import type { AclBinding } from "../api";
import { clusterName } from "./words";

export type PatternKind = "literal" | "prefixed" | "all";

export interface Pattern {
  kind: PatternKind;
  name: string;
}

export type What = "produce" | "consume" | "both" | "full" | "single";

export interface Grant {
  principal: string;
  host: string;
  what: What;
  topic: Pattern;
  group: Pattern;
  /** Of those that produce: topics that are not there yet may be created. */
  create: boolean;
  /** Of a single ACL. */
  resourceType: string;
  operation: string;
  permission: "allow" | "deny";
}

/** How ACLs write a pattern. */
export function written({ kind, name }: Pattern): Pick<AclBinding, "pattern_type" | "resource_name"> {
  if (kind === "all") return { pattern_type: "literal", resource_name: "*" };
  return { pattern_type: kind, resource_name: name.trim() };
}

export const consumes = (what: What) => what === "consume" || what === "both" || what === "full";
export const produces = (what: What) => what === "produce" || what === "both";

/** The ACLs of a grant, with those first that matter most. A producer needs no more than Write: that allows a producer id, too. */
export function bindingsOf(grant: Grant): AclBinding[] {
  const { principal, host, what } = grant;
  const common = { principal, host: host.trim() || "*", permission: "allow" };
  if (what === "single") {
    const { resourceType: resource_type, operation, permission } = grant;
    const which =
      resource_type === "cluster" ? { pattern_type: "literal", resource_name: clusterName } : written(grant.topic);
    return [{ ...common, resource_type, ...which, operation, permission }];
  }
  const onTopic = (operation: string): AclBinding => ({
    ...common,
    resource_type: "topic",
    ...written(grant.topic),
    operation,
  });
  const onGroup = (operation: string): AclBinding => ({
    ...common,
    resource_type: "group",
    ...written(grant.group),
    operation,
  });
  if (what === "full") return [onTopic("all"), onGroup("all")];
  return [
    ...(produces(what) ? [onTopic("write")] : []),
    ...(produces(what) && grant.create ? [onTopic("create")] : []),
    ...(consumes(what) ? [onTopic("read"), onGroup("read")] : []),
  ];
}

/** What is still missing before a grant can be made. */
export function missing(grant: Grant): string | undefined {
  const named = ({ kind, name }: Pattern) => kind === "all" || name.trim() !== "";
  if (grant.principal === "" || grant.principal === "User:") return "Choose who.";
  const single = grant.what === "single";
  if (!(single && grant.resourceType === "cluster") && !named(grant.topic))
    return single ? "Name the resource." : "Name the topic.";
  if (consumes(grant.what) && !named(grant.group)) return "Name the group.";
  return undefined;
}
