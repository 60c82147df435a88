import { Badge } from "@mantine/core";
import type { components } from "@/api/schema";

export type AuditEntry = components["schemas"]["AuditEntry"];

/** Whether it was allowed. */
export function Decision({ decision }: { decision: AuditEntry["decision"] }) {
  return (
    <Badge variant="light" tt="none" color={decision === "denied" ? "red" : "teal"}>
      {decision === "denied" ? "Denied" : "Allowed"}
    </Badge>
  );
}
