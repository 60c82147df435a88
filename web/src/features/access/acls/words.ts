/** The words of Kafka's ACLs, and what goes with what. */
import { type AclBinding, accountName, type ServiceAccount } from "../api";

export const resourceTypes = [
  { value: "topic", label: "Topic" },
  { value: "group", label: "Group" },
  { value: "cluster", label: "Cluster" },
  { value: "transactional_id", label: "Transactional id" },
  { value: "user", label: "User" },
] as const;

/** The name by which ACLs mean the cluster as a whole. */
export const clusterName = "kafka-cluster";

const operations: Record<string, readonly string[]> = {
  topic: ["read", "write", "create", "delete", "alter", "describe", "describe_configs", "alter_configs"],
  group: ["read", "delete", "describe", "describe_configs", "alter_configs"],
  cluster: ["create", "alter", "describe", "cluster_action", "describe_configs", "alter_configs", "idempotent_write"],
  transactional_id: ["write", "describe"],
  user: ["create_tokens", "describe_tokens"],
};

/** What may be done to a kind of resource; in bindings also everything. */
export function operationsOf(resourceType: string): readonly string[] {
  return operations[resourceType] ?? [];
}

export const everyOperation = [...new Set(["all", ...Object.values(operations).flat()])];

const implied: Record<string, readonly string[]> = {
  describe: ["read", "write", "delete", "alter"],
  describe_configs: ["alter_configs"],
};

/** What allowing an operation allows along with it. */
export function impliedBy(operation: string): string[] {
  return Object.keys(implied).filter((each) => implied[each]?.includes(operation));
}

/** `describe_configs` as `describe configs`. */
export function spoken(word: string): string {
  return word.replaceAll("_", " ");
}

export function typeLabel(resourceType: string): string {
  return resourceTypes.find(({ value }) => value === resourceType)?.label ?? resourceType;
}

/** How a pattern is written: the name, `orders.*` for a prefix, `all topics` for all. */
export function patternText(resource_type: string, pattern_type: string, resource_name: string): string {
  if (resource_type === "cluster") return "the cluster";
  if (pattern_type === "prefixed") return `${resource_name}*`;
  return resource_name === "*" ? `all ${spoken(resource_type)}s` : resource_name;
}

/** A binding as a sentence. */
export function sentence(acl: AclBinding): string {
  const who = acl.principal === "User:*" ? "everybody" : acl.principal;
  const what = acl.operation === "all" ? "everything" : spoken(acl.operation);
  const kind = acl.resource_type === "cluster" ? "" : `${spoken(acl.resource_type)} `;
  const which = patternText(acl.resource_type, acl.pattern_type, acl.resource_name);
  const on = which.startsWith("all ") ? which : `${kind}${which}`;
  const place =
    acl.pattern_type === "prefixed" ? `${spoken(acl.resource_type)}s that begin with ${acl.resource_name}` : on;
  const from = acl.host === "*" ? "" : ` from ${acl.host}`;
  return `${acl.permission === "deny" ? "Deny" : "Allow"} ${who} ${what} on ${place}${from}`;
}

/** A binding as a sentence, with a service account by its name. */
export function namedSentence(acl: AclBinding, accounts: readonly ServiceAccount[]): string {
  return sentence({ ...acl, principal: accountName(acl.principal, accounts) ?? acl.principal });
}

/** What makes two bindings one: Kafka has no two that say the same. */
export function bindingKey(acl: AclBinding): string {
  const { resource_type, pattern_type, resource_name, principal, host, operation, permission } = acl;
  return JSON.stringify([resource_type, pattern_type, resource_name, principal, host, operation, permission]);
}
