import { Button, Group, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { AsCode } from "@/components/AsCode";
import { Card } from "@/components/Card";
import { expression, label } from "@/components/code";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type Cluster, updateCluster } from "../api";

interface Props {
  cluster: Cluster;
  etag: string;
  onChanged: () => Promise<unknown>;
}

/** Name and deletion protection. */
export function GeneralForm({ cluster, etag, onChanged }: Props) {
  const form = useForm({
    initialValues: { name: cluster.name, deletion_protection: cluster.deletion_protection },
    validate: { name: (value) => (value.trim() ? null : "Give it a name") },
  });
  const { submit, error } = useSubmit(form, async (values) => {
    await updateCluster(cluster.id, etag, { ...values, name: values.name.trim() });
    done("The settings are in force");
    await onChanged();
  });
  const { name, deletion_protection } = form.values;
  return (
    <Card title="General">
      <form onSubmit={submit} noValidate>
        <Stack>
          <TextInput label="Name" required maxLength={100} maw={420} {...form.getInputProps("name")} />
          <Switch
            label="Deletion protection"
            description="The cluster cannot be deleted before this is turned off."
            {...form.getInputProps("deletion_protection", { type: "checkbox" })}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <Group>
            <Button type="submit" loading={form.submitting} disabled={!form.isDirty()}>
              Save settings
            </Button>
          </Group>
          <AsCode
            request={{ method: "PATCH", path: `/v1/clusters/${cluster.id}`, body: { name, deletion_protection } }}
            resource={{
              type: "firn_cluster",
              name: label(name),
              attributes: { project: expression("firn_project.this.id"), name, deletion_protection },
            }}
          />
        </Stack>
      </form>
    </Card>
  );
}
