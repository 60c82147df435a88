import { Button, Divider, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { AsCode } from "@/components/AsCode";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { moment } from "@/components/format";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type Cluster, deleteCluster, resumeCluster, suspendCluster, undeleteCluster } from "../api";

interface Props {
  cluster: Cluster;
  onChanged: () => Promise<unknown>;
}

/** What stops clients: suspending and deleting, and what takes either back. */
export function DangerZone({ cluster, onChanged }: Props) {
  return (
    <Paper
      withBorder
      p="md"
      component="section"
      aria-labelledby="danger-zone"
      style={{ borderColor: "var(--mantine-color-red-outline)" }}
    >
      <Stack>
        <Title order={2} size="h4" id="danger-zone">
          Danger zone
        </Title>
        {cluster.state === "deleting" ? (
          <Undelete cluster={cluster} onChanged={onChanged} />
        ) : (
          <>
            {cluster.state === "suspended" ? (
              <Resume cluster={cluster} onChanged={onChanged} />
            ) : (
              <Suspend cluster={cluster} onChanged={onChanged} />
            )}
            <Divider />
            <Delete cluster={cluster} onChanged={onChanged} />
          </>
        )}
      </Stack>
    </Paper>
  );
}

const passing = "Whether a cluster is suspended is not declared in Terraform: suspending and resuming are actions.";

interface ActionProps {
  title: string;
  children: ReactNode;
  button: ReactNode;
}

function Action({ title, children, button }: ActionProps) {
  return (
    <Group justify="space-between" align="flex-start" gap="sm">
      <div style={{ flex: "1 1 280px" }}>
        <Text fw={600}>{title}</Text>
        <Text size="sm">{children}</Text>
      </div>
      {button}
    </Group>
  );
}

/** A button that does something that can be taken back, and says what went wrong. */
function useTurn(send: () => Promise<unknown>, told: string, onChanged: () => Promise<unknown>) {
  return useMutation({
    mutationFn: async () => {
      await send();
      await onChanged();
      done(told);
    },
  });
}

function Resume({ cluster, onChanged }: Props) {
  const turn = useTurn(() => resumeCluster(cluster.id), "The cluster serves again", onChanged);
  return (
    <>
      <Action
        title="Resume this cluster"
        button={
          <Button onClick={() => turn.mutate()} loading={turn.isPending}>
            Resume cluster
          </Button>
        }
      >
        It is suspended: clients are refused, and everything in it stays.
      </Action>
      {turn.error && <ProblemAlert error={turn.error} />}
      <AsCode request={{ method: "POST", path: `/v1/clusters/${cluster.id}/resume` }} undeclared={passing} />
    </>
  );
}

function Undelete({ cluster, onChanged }: Props) {
  const turn = useTurn(() => undeleteCluster(cluster.id), "The cluster is back", onChanged);
  return (
    <>
      <Action
        title="Undelete this cluster"
        button={
          <Button onClick={() => turn.mutate()} loading={turn.isPending}>
            Undelete cluster
          </Button>
        }
      >
        It is deleted and goes for ever, with all that is in it, at <b>{moment(cluster.delete_at)}</b>. Until then it
        can come back as it was.
      </Action>
      {turn.error && <ProblemAlert error={turn.error} />}
      <AsCode
        request={{ method: "POST", path: `/v1/clusters/${cluster.id}/undelete` }}
        undeclared="Taking a deletion back is an action, nothing to declare. Terraform has forgotten the cluster: terraform import takes it up again."
      />
    </>
  );
}

function Suspend({ cluster, onChanged }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Action
        title="Suspend this cluster"
        button={
          <Button color="red" variant="outline" onClick={() => setOpen(true)} disabled={cluster.state !== "active"}>
            Suspend cluster
          </Button>
        }
      >
        Clients are disconnected and refused until it is resumed; everything in it stays.
      </Action>
      <ConfirmTyped
        opened={open}
        onClose={() => setOpen(false)}
        title="Suspend cluster"
        word={cluster.name}
        action="Suspend cluster"
        code={{ request: { method: "POST", path: `/v1/clusters/${cluster.id}/suspend` }, undeclared: passing }}
        onConfirm={async () => {
          await suspendCluster(cluster.id);
          await onChanged();
          done("The cluster is suspended");
        }}
      >
        All clients of the cluster are disconnected now and refused until you resume it. Records stay.
      </ConfirmTyped>
    </>
  );
}

function Delete({ cluster, onChanged }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Action
        title="Delete this cluster"
        button={
          <Button color="red.9" onClick={() => setOpen(true)} disabled={cluster.deletion_protection}>
            Delete cluster
          </Button>
        }
      >
        {cluster.deletion_protection
          ? "Deletion protection is on: turn it off under General first."
          : "Clients are disconnected now. For a while it can be undeleted; then it goes with all that is in it."}
      </Action>
      <ConfirmTyped
        opened={open}
        onClose={() => setOpen(false)}
        title="Delete cluster"
        word={cluster.name}
        action="Delete cluster"
        code={{
          request: { method: "DELETE", path: `/v1/clusters/${cluster.id}` },
          removed: { type: "firn_cluster", name: cluster.name },
        }}
        onConfirm={async () => {
          await deleteCluster(cluster.id);
          await onChanged();
          done("The cluster is deleted; it can still be undeleted");
        }}
      >
        All clients are disconnected now. The cluster with all its topics and records goes for ever once its time to be
        undeleted is over.
      </ConfirmTyped>
    </>
  );
}
