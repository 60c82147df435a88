import { Alert, Button, Paper, Group as Row, Stack, Text, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertTriangle, IconEye } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { AsCode } from "@/components/AsCode";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import {
  type GroupDetail,
  groupQuery,
  lagQuery,
  type Reset,
  type ResetItem,
  reset,
  resetRequest,
  undeclared,
} from "../api";
import { faults, nothing, request, type Values } from "./form";
import { Preview } from "./Preview";
import { ScopeFields } from "./ScopeFields";
import { TargetFields } from "./TargetFields";

/** Where a group goes on reading: chosen, looked at, and only then set. */
export function ResetPage() {
  const { cluster, group } = useParams({ from: "/app/clusters/$cluster/groups/$group/reset" });
  const detail = useQuery(groupQuery(cluster, group));
  return (
    <Page
      title="Reset offsets"
      lead="Choose where the group goes on reading, look at what that does, then set it."
      trail={[
        { label: "Consumer groups", to: `/clusters/${cluster}/groups` },
        { label: group, to: `/clusters/${cluster}/groups/${encodeURIComponent(group)}` },
      ]}
    >
      <Loaded query={detail}>{(detail) => <Guided cluster={cluster} detail={detail} />}</Loaded>
    </Page>
  );
}

interface Planned {
  body: Reset;
  items: ResetItem[];
}

function Guided({ cluster, detail }: { cluster: string; detail: GroupDetail }) {
  const { group } = detail;
  const lag = useQuery(lagQuery(cluster, group));
  const [planned, setPlanned] = useState<Planned>();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const form = useForm<Values>({
    initialValues: nothing,
    validate: faults,
    // What was looked at is not what would be done now.
    onValuesChange: () => setPlanned(undefined),
  });
  const { submit, error } = useSubmit(form, async (values) => {
    const body = request(values);
    setPlanned({ body, items: await reset(cluster, group, body, true) });
  });
  const set = async ({ body }: Planned) => {
    const items = await reset(cluster, group, body, false);
    done(items.length === 1 ? "The offset is set." : `Offsets of ${items.length} partitions are set.`);
    await queries.invalidateQueries({ queryKey: ["groups", cluster] });
    await navigate({ to: "/clusters/$cluster/groups/$group", params: { cluster, group } });
  };
  const topics = [...new Set(lag.data?.partitions.map((partition) => partition.topic) ?? [])];
  const correct = Object.keys(faults(form.values)).length === 0;
  const occupied = detail.state !== "empty" || detail.members.length > 0;
  return (
    <Stack>
      {occupied && <Occupied detail={detail} />}
      <form onSubmit={submit} noValidate aria-label="Reset offsets">
        <Stack maw={640}>
          <Step number={1} title="Which offsets">
            <ScopeFields form={form} topics={topics} />
          </Step>
          <Step number={2} title="Where to">
            <TargetFields form={form} />
          </Step>
          {error !== undefined && <ProblemAlert error={error} />}
          <Row>
            <Button type="submit" loading={form.submitting} disabled={occupied} leftSection={<IconEye size={16} />}>
              Preview
            </Button>
          </Row>
          {correct && <AsCode request={resetRequest(cluster, group, request(form.values))} undeclared={undeclared} />}
        </Stack>
      </form>
      {planned && (
        <Preview
          group={group}
          items={planned.items}
          code={{ request: resetRequest(cluster, group, planned.body), undeclared }}
          onSet={() => set(planned)}
        />
      )}
    </Stack>
  );
}

function Occupied({ detail: { members } }: { detail: GroupDetail }) {
  const clients = [...new Set(members.map((member) => member.client_id))].slice(0, 5).join(", ");
  return (
    <Alert color="yellow" icon={<IconAlertTriangle size={18} />} title="Stop the group's members first" role="status">
      <Text size="sm">
        {members.length === 1 ? "One member reads" : `${members.length} members read`}
        {clients && ` (${clients})`}, and would commit over whatever is set here. This page notices once they are gone.
      </Text>
    </Alert>
  );
}

function Step({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          {number}. {title}
        </Title>
        {children}
      </Stack>
    </Paper>
  );
}
