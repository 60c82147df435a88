/** Roles, as forms offer them. */

export const roles = [
  { value: "none", label: "None: only ACLs let it do anything" },
  { value: "viewer", label: "Viewer: sees everything but records and secrets" },
  { value: "developer", label: "Developer: topics, groups and records" },
  { value: "operator", label: "Operator: clusters and quotas too" },
  { value: "admin", label: "Admin: everything but owners" },
] as const;
