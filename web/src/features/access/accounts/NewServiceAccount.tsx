import { Button, Group, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { expression, type Hcl, label } from "@/components/code";
import { ProblemAlert } from "@/components/ProblemAlert";
import { RoleSelect } from "@/components/RoleSelect";
import { clustersQuery } from "@/shell/workspace";
import { Dialog } from "../parts";
import { faultAt, useChange } from "../saving";

interface Props {
  project: string;
  opened: boolean;
  onClose: () => void;
}

/** Makes a service account, and leads to it. */
export function NewServiceAccount({ project, opened, onClose }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title="Create service account">
      <Form project={project} />
    </Dialog>
  );
}

const start = { name: "", description: "", role: "none", cluster: "" };

function bodyOf(project: string, { name, description, role, cluster }: typeof start) {
  return {
    project,
    name: name.trim(),
    ...(description.trim() ? { description: description.trim() } : {}),
    ...(role === "none" ? {} : { role: { role, ...(cluster ? { cluster } : {}) } }),
  };
}

/** The account and, if it begins with a role, the binding that gives it. */
function resourcesOf({ project, name, description, role }: ReturnType<typeof bodyOf>): Hcl[] {
  const account: Hcl = { type: "firn_service_account", name, attributes: { project, name, description } };
  if (!role) return [account];
  const principal = expression(`firn_service_account.${label(name)}.id`);
  const attributes = { principal, role: role.role, scope: role.cluster ?? project };
  return [account, { type: "firn_role_binding", name, attributes }];
}

function Form({ project }: { project: string }) {
  const navigate = useNavigate();
  const { data: clusters = [] } = useQuery(clustersQuery(project));
  const form = useForm({ initialValues: start });
  const body = bodyOf(project, form.values);
  const create = useChange({
    send: (body: ReturnType<typeof bodyOf>) => got(api.POST("/v1/service-accounts", { body })),
    touches: [["service-accounts", project]],
    said: ({ name }) => `${name} is made`,
    onDone: ({ id }) => void navigate({ to: "/service-accounts/$account", params: { account: id } }),
  });
  const places = [
    { value: "", label: "All clusters of the project" },
    ...clusters.map(({ id, name }) => ({ value: id, label: name })),
  ];
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(bodyOf(project, values)))}>
      <Stack>
        <TextInput
          label="Name"
          description="What the program is: payments-writer"
          required
          maxLength={100}
          autoComplete="off"
          data-autofocus
          {...form.getInputProps("name")}
          error={faultAt(create.error, "/name")}
        />
        <Textarea
          label="Description"
          maxLength={500}
          autosize
          minRows={2}
          {...form.getInputProps("description")}
          error={faultAt(create.error, "/description")}
        />
        <RoleSelect
          label="Role to begin with"
          description="With none, give it exactly what it needs by ACLs"
          choices={["none", "viewer", "developer", "operator", "admin"]}
          {...form.getInputProps("role")}
          error={faultAt(create.error, "/role")}
        />
        {form.values.role !== "none" && (
          <Select label="Where the role holds" data={places} allowDeselect={false} {...form.getInputProps("cluster")} />
        )}
        {create.error && <ProblemAlert error={create.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={create.isPending}>
            Create service account
          </Button>
        </Group>
        <AsCode request={{ method: "POST", path: "/v1/service-accounts", body }} resource={resourcesOf(body)} />
      </Stack>
    </form>
  );
}
