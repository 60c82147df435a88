import { Alert, Button, Grid, List, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleX, IconSettings } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { clusterQuery } from "@/shell/workspace";
import { type Cluster, type Overview, overviewQuery } from "../api";
import { StateBadge } from "../StateBadge";
import { ConnectCard } from "./ConnectCard";
import { ConnectionsCard } from "./ConnectionsCard";
import { ExpiringCard } from "./ExpiringCard";
import { Figures } from "./Figures";
import { LimitsCard } from "./LimitsCard";
import { StorageCard } from "./StorageCard";
import { ThroughputCard } from "./ThroughputCard";

/** A cluster at a glance. */
export function OverviewPage() {
  const id = useParams({ from: "/app/clusters/$cluster/" }).cluster;
  const cluster = useQuery(clusterQuery(id));
  return (
    <Page
      title={cluster.data?.name ?? "Cluster"}
      trail={[{ label: "Clusters", to: "/clusters" }]}
      actions={
        <>
          {cluster.data && <StateBadge state={cluster.data.state} />}
          <Button
            component={Link}
            to={`/clusters/${id}/settings`}
            variant="default"
            size="xs"
            leftSection={<IconSettings size={16} />}
          >
            Settings
          </Button>
        </>
      }
    >
      <Loaded query={cluster}>{(cluster) => <ClusterOverview cluster={cluster} />}</Loaded>
    </Page>
  );
}

function ClusterOverview({ cluster }: { cluster: Cluster }) {
  const query = useQuery(overviewQuery(cluster.id));
  return (
    <Loaded query={query} lines={12}>
      {(overview) => (
        <Stack>
          <Health health={overview.health} />
          <Figures overview={overview} cluster={cluster.id} />
          <Grid gap="md">
            <Grid.Col span={{ base: 12, lg: 8 }}>
              <ThroughputCard cluster={cluster} overview={overview} at={query.dataUpdatedAt} />
            </Grid.Col>
            <Grid.Col span={{ base: 12, lg: 4 }}>
              <StorageCard storage={overview.storage} />
            </Grid.Col>
            <Grid.Col span={12}>
              <ConnectionsCard cluster={cluster.id} />
            </Grid.Col>
            <Grid.Col span={{ base: 12, md: 6 }}>
              <LimitsCard limits={overview.limits} cluster={cluster.id} />
            </Grid.Col>
            <Grid.Col span={{ base: 12, md: 6 }}>
              <Stack>
                <ConnectCard cluster={cluster} />
                <ExpiringCard expiring={overview.expiring} cluster={cluster.id} />
              </Stack>
            </Grid.Col>
          </Grid>
        </Stack>
      )}
    </Loaded>
  );
}

/** Why a cluster is not well; nothing while it is. */
function Health({ health: { status, reasons } }: { health: Overview["health"] }) {
  if (status === "ok") return null;
  const down = status === "down";
  const titles = {
    unknown: "How all of the cluster is, is not known",
    degraded: "Some of the cluster does not serve",
    down: "The cluster serves nothing",
  };
  return (
    <Alert
      color={down ? "red" : "yellow"}
      icon={down ? <IconCircleX size={18} /> : <IconAlertTriangle size={18} />}
      title={titles[status]}
      role="status"
    >
      {reasons.length === 1 ? (
        <Text size="sm">{reasons[0]}</Text>
      ) : (
        <List size="sm">
          {reasons.map((reason) => (
            <List.Item key={reason}>{reason}</List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}
