import { Anchor, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Card } from "@/components/Card";
import { Copy } from "@/components/CopyField";
import { moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { type Cluster, versionedClusterQuery } from "../api";
import { StateBadge } from "../StateBadge";
import { DangerZone } from "./DangerZone";
import { GeneralForm } from "./GeneralForm";
import { LimitsForm } from "./LimitsForm";

/** What can be changed of a cluster. */
export function SettingsPage() {
  const id = useParams({ from: "/app/clusters/$cluster/settings" }).cluster;
  const query = useQuery(versionedClusterQuery(id));
  const queries = useQueryClient();
  const changed = async () => {
    void queries.invalidateQueries({ queryKey: ["clusters"] });
    await queries.invalidateQueries({ queryKey: ["cluster", id] });
  };
  const name = query.data?.value.name;
  return (
    <Page
      title="Settings"
      trail={[
        { label: "Clusters", to: "/clusters" },
        { label: name ?? "Cluster", to: `/clusters/${id}` },
      ]}
      actions={query.data && <StateBadge state={query.data.value.state} />}
    >
      <Loaded query={query} lines={10}>
        {({ value: cluster, etag }) => (
          <Stack maw={900}>
            <Facts cluster={cluster} />
            <GeneralForm key={`general ${etag}`} cluster={cluster} etag={etag} onChanged={changed} />
            <LimitsForm key={`limits ${etag}`} cluster={cluster} etag={etag} onChanged={changed} />
            <Card title="Networks">
              <Text size="sm">
                From where Kafka clients may come is set under{" "}
                <Anchor component={Link} to={`/clusters/${id}/access/networks`} inherit underline="always">
                  Access, Networks
                </Anchor>
                .
              </Text>
            </Card>
            <DangerZone cluster={cluster} onChanged={changed} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

/** What cannot be changed, and is asked for. */
function Facts({ cluster }: { cluster: Cluster }) {
  const facts: [string, string | null | undefined][] = [
    ["Id", cluster.id],
    ["Slug", cluster.slug],
    ["Kafka's cluster id", cluster.kafka_cluster_id],
    ["Bootstrap servers", cluster.bootstrap],
  ];
  return (
    <Card title="Facts">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xs">
        {facts.map(([label, value]) => (
          <div key={label}>
            <Text size="xs" c="dimmed" fw={600}>
              {label}
            </Text>
            <Text size="sm" className="mono" style={{ overflowWrap: "anywhere" }} span>
              {value ?? "–"}
            </Text>
            {value && (
              <span style={{ display: "inline-block", verticalAlign: "middle" }}>
                <Copy value={value} label={`Copy ${label}`} />
              </span>
            )}
          </div>
        ))}
        <div>
          <Text size="xs" c="dimmed" fw={600}>
            Made
          </Text>
          <Text size="sm">{moment(cluster.created_at)}</Text>
        </div>
      </SimpleGrid>
    </Card>
  );
}
