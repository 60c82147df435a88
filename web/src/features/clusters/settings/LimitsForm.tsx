import { Button, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { AsCode } from "@/components/AsCode";
import { Card } from "@/components/Card";
import { expression, label } from "@/components/code";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type Cluster, updateCluster } from "../api";
import { LimitFields } from "../LimitFields";
import { type LimitName, limitNames } from "../limits";

interface Props {
  cluster: Cluster;
  etag: string;
  onChanged: () => Promise<unknown>;
}

interface Values extends Record<string, unknown> {
  limits: Partial<Record<LimitName, number>>;
}

/** Those limits that are not as they are. */
function changes(cluster: Cluster, limits: Values["limits"]): Partial<Record<LimitName, number>> {
  const changed = limitNames.filter((name) => limits[name] !== undefined && limits[name] !== cluster.limits[name]);
  return Object.fromEntries(changed.map((name) => [name, limits[name]]));
}

/** How much the cluster may hold and do. */
export function LimitsForm({ cluster, etag, onChanged }: Props) {
  const form = useForm<Values>({ initialValues: { limits: { ...cluster.limits } } });
  const changed = changes(cluster, form.values.limits);
  const { submit, error } = useSubmit(form, async ({ limits }) => {
    await updateCluster(cluster.id, etag, { limits: changes(cluster, limits) });
    done("The limits are in force");
    await onChanged();
  });
  return (
    <Card title="Limits">
      <form onSubmit={submit} noValidate>
        <Stack>
          <Text size="sm" c="dimmed">
            What goes over a limit is refused or made to wait. All clusters of an organization share a larger allowance.
          </Text>
          <LimitFields
            legend="How much it may hold"
            values={form.values.limits}
            onChange={(limits) => form.setFieldValue("limits", limits)}
            errors={form.errors}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <Group>
            <Button type="submit" loading={form.submitting} disabled={Object.keys(changed).length === 0}>
              Save limits
            </Button>
          </Group>
          <AsCode
            request={{ method: "PATCH", path: `/v1/clusters/${cluster.id}`, body: { limits: changed } }}
            resource={{
              type: "firn_cluster",
              name: label(cluster.name),
              attributes: {
                project: expression("firn_project.this.id"),
                name: cluster.name,
                limits: form.values.limits,
              },
            }}
          />
        </Stack>
      </form>
    </Card>
  );
}
