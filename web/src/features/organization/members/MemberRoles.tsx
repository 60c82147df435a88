import { ActionIcon, Button, Drawer, Group, Select, Stack, Text, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconTrash } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import type { Organization } from "@/shell/workspace";
import { bindingsQuery, type Member, type Place, placeLabel, type RoleBinding, type RoleName } from "../api";
import { RoleSelect } from "../RoleSelect";
import { roleLabel } from "../roles";

interface Props {
  organization: Organization;
  member: Member | undefined;
  bindings: RoleBinding[];
  places: Place[];
  onClose: () => void;
}

/** The roles of one member: changed, taken and given. */
export function MemberRoles({ organization, member, bindings, places, onClose }: Props) {
  return (
    <Drawer
      opened={member !== undefined}
      onClose={onClose}
      position="right"
      size="md"
      title={`Roles of ${member?.name ?? ""}`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {member && (
        <Stack>
          {bindings.length === 0 && <Text c="dimmed">None: a member without a role sees nothing.</Text>}
          {bindings.map((binding) => (
            <Binding key={binding.id} organization={organization} binding={binding} places={places} />
          ))}
          <Give
            key={bindings.length}
            organization={organization}
            member={member}
            places={places.filter(({ id }) => !bindings.some(({ scope }) => scope === id))}
          />
        </Stack>
      )}
    </Drawer>
  );
}

function Binding({ organization, binding, places }: Pick<Props, "organization" | "places"> & { binding: RoleBinding }) {
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const path = { organization: organization.id, binding: binding.id };
  const where = placeLabel(places, binding.scope);
  const change = async (send: () => Promise<unknown>, told: string) => {
    setBusy(true);
    setError(undefined);
    try {
      await send();
      await queries.invalidateQueries({ queryKey: bindingsQuery(organization.id).queryKey });
      done(told);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const url = "/v1/organizations/{organization}/role-bindings/{binding}";
  const another = (role: RoleName) =>
    got(api.PATCH(url, { body: { role }, params: { path, header: { "If-Match": "*" } } }));
  return (
    <Stack gap="xs">
      <Group align="flex-end" wrap="nowrap">
        <RoleSelect
          label={where}
          flex={1}
          disabled={busy}
          value={binding.role}
          onChange={(role) => {
            if (role && role !== binding.role) {
              void change(() => another(role as RoleName), `${roleLabel(role as RoleName)} now, in: ${where}.`);
            }
          }}
        />
        <ActionIcon
          variant="default"
          size={36}
          disabled={busy}
          aria-label={`Take the role away: ${where}`}
          onClick={() =>
            change(
              () => got(api.DELETE(url, { params: { path, header: { "If-Match": "*" } } })),
              `The role is taken away, in: ${where}.`,
            )
          }
        >
          <IconTrash size={16} />
        </ActionIcon>
      </Group>
      {error !== undefined && <ProblemAlert error={error} />}
    </Stack>
  );
}

function Give({ organization, member, places }: Pick<Props, "organization" | "places"> & { member: Member }) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { scope: places[0]?.id ?? "", role: "developer" as RoleName } });
  const { submit, error } = useSubmit(form, async ({ scope, role }) => {
    const body = { principal: member.id, scope, role };
    const params = { path: { organization: organization.id } };
    await got(api.POST("/v1/organizations/{organization}/role-bindings", { body, params }));
    await queries.invalidateQueries({ queryKey: bindingsQuery(organization.id).queryKey });
    done(`${member.name} has the role ${roleLabel(role)} now, in: ${placeLabel(places, scope)}.`);
  });
  if (places.length === 0) return null;
  const { scope, role } = form.values;
  return (
    <form onSubmit={submit}>
      <Stack>
        <Title order={3} size="h5">
          Another role
        </Title>
        <Select
          label="Where"
          allowDeselect={false}
          searchable
          data={places.map(({ id, label }) => ({ value: id, label }))}
          {...form.getInputProps("scope")}
        />
        <RoleSelect {...form.getInputProps("role")} />
        {error !== undefined && <ProblemAlert error={error} />}
        <Button type="submit" loading={form.submitting}>
          Give the role
        </Button>
        <AsCode
          request={{
            method: "POST",
            path: `/v1/organizations/${organization.id}/role-bindings`,
            body: { principal: member.id, scope, role },
          }}
          resource={{
            type: "firn_role_binding",
            name: `${member.name} ${role}`,
            attributes: { organization: organization.id, principal: member.id, scope, role },
          }}
        />
      </Stack>
    </form>
  );
}
