import { Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { clustersQuery, type Organization, projectsQuery, useWorkspace } from "@/shell/workspace";
import { connectionQuery } from "./api";
import { LiveCheck } from "./LiveCheck";
import { Next } from "./Next";
import { Prepare } from "./Prepare";
import { Programs } from "./Programs";
import type { Ready } from "./prepare";
import { Step } from "./Step";

/** From nothing to the first message, on one page. */
export function StartPage() {
  const { organization } = useWorkspace();
  return (
    <Page
      title="First five minutes"
      lead="A cluster, a password, a program that runs as it stands here, and your first message, which you see arrive."
    >
      {organization ? <Guide key={organization.id} organization={organization} /> : null}
    </Page>
  );
}

function Guide({ organization }: { organization: Organization }) {
  const [ready, setReady] = useState<Ready>();
  const projects = useQuery(projectsQuery(organization.id));
  const project = projects.data?.[0];
  const clusters = useQuery({ ...clustersQuery(project?.id ?? ""), enabled: project !== undefined });
  const usable = (clusters.data ?? []).filter(({ state }) => state === "active" || state === "creating");
  const waiting = project !== undefined && clusters.isPending;
  return (
    <Stack maw={960}>
      <Step number={1} title="A cluster and a password" done={ready !== undefined}>
        <Loaded query={projects} lines={2}>
          {() => (
            <Prepare
              key={waiting ? "waiting" : "known"}
              organization={organization.id}
              project={project}
              clusters={usable}
              waiting={waiting}
              ready={ready}
              onReady={setReady}
            />
          )}
        </Loaded>
      </Step>
      {ready ? <Rest ready={ready} /> : <Waiting />}
    </Stack>
  );
}

/** What comes once there is a password. */
function Rest({ ready }: { ready: Ready }) {
  const { data: connected } = useQuery(connectionQuery(ready));
  return (
    <>
      <Step number={2} title="Run a program" done={Boolean(connected)}>
        <Programs connection={ready.connection} />
      </Step>
      <LiveCheck ready={ready} />
      <Next cluster={ready.cluster.id} />
    </>
  );
}

/** What that will be. */
function Waiting() {
  return (
    <>
      <Step number={2} title="Run a program" done={false} waits>
        <Text c="dimmed">In your language, with everything filled in. It appears here once there is a password.</Text>
      </Step>
      <Step number={3} title="See it arrive" done={false} waits>
        <Text c="dimmed">Your program's first connection and its first message show here by themselves.</Text>
      </Step>
    </>
  );
}
