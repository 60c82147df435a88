import { Button, Group, Select, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { ProblemAlert } from "@/components/ProblemAlert";
import { RoleSelect } from "@/components/RoleSelect";
import type { RoleName, ServiceAccount } from "../api";
import { Dialog } from "../parts";
import { faultAt, useChange } from "../saving";

interface Props {
  account: ServiceAccount;
  organization: string | undefined;
  scopes: { value: string; label: string }[];
  opened: boolean;
  onClose: () => void;
}

/** Gives a service account a role. */
export function NewRole({ opened, onClose, ...rest }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title="Give a role">
      <Form {...rest} onClose={onClose} />
    </Dialog>
  );
}

interface Values {
  role: RoleName;
  scope: string;
}

function Form({ account, organization, scopes, onClose }: Omit<Props, "opened">) {
  const form = useForm<Values>({ initialValues: { role: "developer", scope: account.project } });
  const body = { principal: account.id, ...form.values };
  const create = useChange({
    send: (values: Values) =>
      got(
        api.POST("/v1/organizations/{organization}/role-bindings", {
          params: { path: { organization: organization ?? "" } },
          body: { principal: account.id, ...values },
        }),
      ),
    touches: [["role-bindings"]],
    said: "The role is given",
    onDone: onClose,
  });
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(values))}>
      <Stack>
        <RoleSelect
          choices={["viewer", "developer", "operator", "admin"]}
          {...form.getInputProps("role")}
          error={faultAt(create.error, "/role")}
        />
        <Select
          label="Where it holds"
          data={scopes}
          allowDeselect={false}
          {...form.getInputProps("scope")}
          error={faultAt(create.error, "/scope")}
        />
        {create.error && <ProblemAlert error={create.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={create.isPending}>
            Give the role
          </Button>
        </Group>
        <AsCode
          request={{ method: "POST", path: `/v1/organizations/${organization}/role-bindings`, body }}
          resource={{ type: "firn_role_binding", name: account.name, attributes: { organization, ...body } }}
        />
      </Stack>
    </form>
  );
}
