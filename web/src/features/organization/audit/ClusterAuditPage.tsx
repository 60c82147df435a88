import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Page } from "@/components/Page";
import { clusterQuery } from "@/shell/workspace";
import { AuditTrail } from "./AuditTrail";

/** The trail of a cluster. */
export function ClusterAuditPage() {
  const { cluster } = useParams({ from: "/app/clusters/$cluster/audit" });
  const search = useSearch({ from: "/app/clusters/$cluster/audit" });
  const navigate = useNavigate();
  const { data } = useQuery(clusterQuery(cluster));
  return (
    <Page
      title="Audit log"
      lead="Who did what in this cluster, by Kafka and by REST, and what was not allowed."
      trail={[
        { label: "Clusters", to: "/clusters" },
        { label: data?.name ?? "…", to: `/clusters/${cluster}` },
      ]}
    >
      <AuditTrail
        trail={{ cluster }}
        search={search}
        change={(changed) => void navigate({ to: "/clusters/$cluster/audit", params: { cluster }, search: changed })}
      />
    </Page>
  );
}
