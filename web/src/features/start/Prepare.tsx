import { Alert, Button, Group, List, Loader, Select, SimpleGrid, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconCheck, IconCircleDashed, IconX } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { CopyField } from "@/components/CopyField";
import { ProblemAlert } from "@/components/ProblemAlert";
import type { Cluster, Project } from "@/shell/workspace";
import { prepare, type Ready, type Task, taskNames, tasks } from "./prepare";

interface Props {
  organization: string;
  project: Project | undefined;
  clusters: Cluster[];
  /** The clusters are not known yet. */
  waiting: boolean;
  ready: Ready | undefined;
  onReady: (ready: Ready) => void;
}

const fresh = "new";

/** One button that makes all that a first message needs, and what of it is done. */
export function Prepare({ organization, project, clusters, waiting, ready, onReady }: Props) {
  const [chosen, setChosen] = useState<string>(clusters[0]?.id ?? fresh);
  const [task, setTask] = useState<Task>();
  const [error, setError] = useState<unknown>();
  const queries = useQueryClient();
  const busy = task !== undefined && error === undefined && !ready;
  const run = async () => {
    setError(undefined);
    try {
      const cluster = clusters.find(({ id }) => id === chosen);
      onReady(await prepare({ organization, project, cluster }, setTask));
      await Promise.all([
        queries.invalidateQueries({ queryKey: ["clusters"] }),
        queries.invalidateQueries({ queryKey: ["projects"] }),
      ]);
    } catch (thrown) {
      setError(thrown);
    }
  };
  if (ready) return <Made ready={ready} />;
  return (
    <Stack>
      <Text>
        {clusters.length > 0
          ? "Take one of your clusters, or make a new one. It gets a topic and a service account with a password."
          : "One button makes your cluster, a topic in it, and a service account with a password."}
      </Text>
      {clusters.length > 0 && (
        <Select
          label="Cluster"
          maw={360}
          allowDeselect={false}
          disabled={busy}
          data={[
            ...clusters.map(({ id, name }) => ({ value: id, label: name })),
            { value: fresh, label: "Make a new one" },
          ]}
          value={chosen}
          onChange={(value) => setChosen(value ?? fresh)}
        />
      )}
      {task && <Progress task={task} failed={error !== undefined} />}
      {error !== undefined && <ProblemAlert error={error} />}
      <Group>
        <Button onClick={run} loading={busy} disabled={waiting}>
          {error === undefined ? "Set it up" : "Try again"}
        </Button>
      </Group>
    </Stack>
  );
}

function Progress({ task, failed }: { task: Task; failed: boolean }) {
  const at = tasks.indexOf(task);
  return (
    <List spacing="xs" center role="status" aria-label="Progress" listStyleType="none">
      {tasks.map((each, index) => (
        <List.Item key={each} icon={<Mark done={index < at} now={index === at} failed={failed} />}>
          <Text c={index > at ? "dimmed" : ""} span>
            {taskNames[each]}
          </Text>
        </List.Item>
      ))}
    </List>
  );
}

function Mark({ done, now, failed }: { done: boolean; now: boolean; failed: boolean }) {
  if (now && !failed) return <Loader size={20} aria-hidden />;
  const Icon = done ? IconCheck : now ? IconX : IconCircleDashed;
  return (
    <ThemeIcon size={20} radius="xl" variant="light" color={done ? "teal" : now ? "red" : "gray"}>
      <Icon size={14} />
    </ThemeIcon>
  );
}

function Made({ ready: { cluster, connection } }: { ready: Ready }) {
  const fields = [
    ["Bootstrap server", connection.bootstrap],
    ["Topic", connection.topic],
    ["User name", connection.username],
    ["Password", connection.password],
  ] as const;
  return (
    <Stack>
      <Text role="status">
        Your cluster <b>{cluster.name}</b> is ready. Clients log in over TLS with SCRAM-SHA-512.
      </Text>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xs">
        {fields.map(([label, value]) => (
          <div key={label}>
            <Text size="sm" c="dimmed">
              {label}
            </Text>
            <CopyField label={label.toLowerCase()} value={value} />
          </div>
        ))}
      </SimpleGrid>
      <Alert color="yellow" variant="light">
        The password is shown this once, here and in the program below. Keep it like any other secret; when you have
        lost it, this page makes another.
      </Alert>
    </Stack>
  );
}
