import { useNavigate, useSearch } from "@tanstack/react-router";
import { Page } from "@/components/Page";
import { OfOrganization } from "../OfOrganization";
import { AuditTrail } from "./AuditTrail";

/** The trail of the organization. */
export function AuditPage() {
  const search = useSearch({ from: "/app/organization/audit" });
  const navigate = useNavigate();
  return (
    <Page
      title="Audit log"
      lead="Who did what in the organization, and what was not allowed. What happens inside of a cluster is in that one's own log."
    >
      <OfOrganization>
        {({ id }) => (
          <AuditTrail
            trail={{ organization: id }}
            search={search}
            change={(changed) => void navigate({ to: "/organization/audit", search: changed })}
          />
        )}
      </OfOrganization>
    </Page>
  );
}
