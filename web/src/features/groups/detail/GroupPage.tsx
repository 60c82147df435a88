import { Button, Grid, Group as Row, Stack } from "@mantine/core";
import { IconArrowBackUp, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { Card } from "@/components/Card";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { Page } from "@/components/Page";
import { deleteGroup, type GroupDetail, groupPath, groupQuery, lagQuery, undeclared } from "../api";
import { StateBadge } from "../StateBadge";
import { Figures } from "./Figures";
import { HistoryCard } from "./HistoryCard";
import { LagTable } from "./LagTable";
import { Members } from "./Members";

/** One consumer group: who is in it, and how far it has come. */
export function GroupPage() {
  const { cluster, group } = useParams({ from: "/app/clusters/$cluster/groups/$group" });
  const detail = useQuery(groupQuery(cluster, group));
  return (
    <Page
      title={group}
      trail={[{ label: "Consumer groups", to: `/clusters/${cluster}/groups` }]}
      actions={detail.data && <Actions cluster={cluster} group={detail.data} />}
    >
      <Loaded query={detail} lines={10}>
        {(detail) => <Shown cluster={cluster} detail={detail} />}
      </Loaded>
    </Page>
  );
}

function Shown({ cluster, detail }: { cluster: string; detail: GroupDetail }) {
  const lag = useQuery(lagQuery(cluster, detail.group));
  return (
    <Stack>
      <Loaded query={lag} lines={2}>
        {(lag) => <Figures detail={detail} lag={lag} />}
      </Loaded>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <HistoryCard cluster={cluster} group={detail.group} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Card title="Members">
            <Members members={detail.members} />
          </Card>
        </Grid.Col>
        <Grid.Col span={12}>
          <Card title="Lag by partition">
            <Loaded query={lag} lines={6}>
              {(lag) => <LagTable cluster={cluster} group={detail.group} lag={lag} />}
            </Loaded>
          </Card>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

function Actions({ cluster, group: { group, state, members } }: { cluster: string; group: GroupDetail }) {
  const [deleting, setDeleting] = useState(false);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const occupied = state !== "empty" || members.length > 0;
  const remove = async () => {
    await deleteGroup(cluster, group);
    done(`Group ${group} is deleted.`);
    await navigate({ to: "/clusters/$cluster/groups", params: { cluster } });
    queries.removeQueries({ queryKey: ["groups", cluster, "group", group] });
    await queries.invalidateQueries({ queryKey: ["groups", cluster, "list"] });
  };
  return (
    <>
      <Row>
        <StateBadge state={state} />
      </Row>
      <Button
        variant="default"
        leftSection={<IconArrowBackUp size={16} />}
        renderRoot={(props) => (
          <Link {...props} to="/clusters/$cluster/groups/$group/reset" params={{ cluster, group }} />
        )}
      >
        Reset offsets
      </Button>
      <Button
        color="red"
        variant="outline"
        leftSection={<IconTrash size={16} />}
        disabled={occupied}
        title={occupied ? "Stop the group's members first" : undefined}
        onClick={() => setDeleting(true)}
      >
        Delete
      </Button>
      <ConfirmTyped
        opened={deleting}
        onClose={() => setDeleting(false)}
        title={`Delete ${group}`}
        word={group}
        action="Delete group"
        code={{ request: { method: "DELETE", path: groupPath(cluster, group) }, undeclared }}
        onConfirm={remove}
      >
        The group goes with all its committed offsets. Consumers that come back begin where their{" "}
        <code>auto.offset.reset</code> says. This cannot be taken back.
      </ConfirmTyped>
    </>
  );
}
