/** Roles, as people read them. */
import type { components } from "@/api/schema";

export type RoleName = components["schemas"]["RoleName"];

export const roles: { value: RoleName; label: string; means: string }[] = [
  { value: "owner", label: "Owner", means: "Everything, and makes owners and ends the organization." },
  { value: "admin", label: "Admin", means: "Everything but making owners and ending the organization." },
  { value: "operator", label: "Operator", means: "Clusters, topics, quotas; no people and no credentials." },
  { value: "developer", label: "Developer", means: "Topics and groups: reads, writes, creates and deletes them." },
  { value: "viewer", label: "Viewer", means: "Sees everything but records, members and secrets." },
  { value: "billing", label: "Billing", means: "Sees the organization and its usage." },
];

export function roleLabel(role: RoleName): string {
  return roles.find(({ value }) => value === role)?.label ?? role;
}
