/** ACLs as Terraform: one resource, or one for each of several that are alike in all but this. */
import { expression, type Hcl, type HclValue } from "@/components/code";
import { type AclBinding, accountName, type ServiceAccount } from "../api";

const keys = ["resource_type", "pattern_type", "resource_name", "operation"] as const;

/** Every attribute but the defaults. */
function attributes(cluster: string, acl: AclBinding): Record<string, HclValue> {
  return {
    cluster,
    principal: acl.principal,
    resource_type: acl.resource_type,
    pattern_type: acl.pattern_type === "literal" ? undefined : acl.pattern_type,
    resource_name: acl.resource_name,
    operation: acl.operation,
    host: acl.host === "*" ? undefined : acl.host,
    permission: acl.permission === "allow" ? undefined : acl.permission,
  };
}

/** What Terraform calls a single ACL. */
export function nameInHcl({ principal, operation }: AclBinding, accounts: readonly ServiceAccount[]): string {
  return `${accountName(principal, accounts) ?? principal.replace(/^User:/, "")} ${operation}`;
}

export function aclsAsHcl(cluster: string, name: string, acls: readonly [AclBinding, ...AclBinding[]]): Hcl {
  const [first] = acls;
  if (acls.length === 1) return { type: "firn_acl", name, attributes: attributes(cluster, first) };
  const each = acls.map((acl): [string, HclValue] => [
    `${acl.resource_type}_${acl.operation}`,
    Object.fromEntries(keys.map((key) => [key, acl[key]])),
  ]);
  return {
    type: "firn_acl",
    name,
    attributes: {
      for_each: Object.fromEntries(each),
      ...attributes(cluster, first),
      ...Object.fromEntries(keys.map((key) => [key, expression(`each.value.${key}`)])),
    },
  };
}
