import { ActionIcon, Button, Drawer, Group, Select, Stack, Text, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconTrash } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { RoleSelect } from "@/components/RoleSelect";
import { type RoleName, roleLabel } from "@/components/roles";
import { useSubmit } from "@/components/useSubmit";
import type { Organization } from "@/shell/workspace";
import { bindingsQuery, type Member, type Place, placeLabel, type RoleBinding } from "../api";

interface Props {
  organization: Organization;
  member: Member | undefined;
  bindings: RoleBinding[];
  places: Place[];
  onClose: () => void;
}

/** The roles of one member: changed, taken and given. */
export function MemberRoles({ organization, member, bindings, places, onClose }: Props) {
  const [taken, take] = useState<RoleBinding>();
  return (
    <>
      <Drawer
        opened={member !== undefined}
        // The question in front of it takes the key first.
        closeOnEscape={taken === undefined}
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
              <Binding
                key={binding.id}
                organization={organization}
                member={member}
                binding={binding}
                places={places}
                onTake={() => take(binding)}
              />
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
      {member && taken && (
        <Take
          organization={organization}
          member={member}
          binding={taken}
          where={placeLabel(places, taken.scope)}
          onClose={() => take(undefined)}
        />
      )}
    </>
  );
}

const resource = "firn_role_binding";

/** What Terraform calls a role of a member. */
function nameOf(member: Member, role: RoleName): string {
  return `${member.name} ${role}`;
}

interface BindingProps {
  organization: Organization;
  member: Member;
  binding: RoleBinding;
}

function Take({
  organization,
  member,
  binding,
  where,
  onClose,
}: BindingProps & { where: string; onClose: () => void }) {
  const queries = useQueryClient();
  const take = async () => {
    const params = { path: { organization: organization.id, binding: binding.id }, header: { "If-Match": "*" } };
    await got(api.DELETE("/v1/organizations/{organization}/role-bindings/{binding}", { params }));
    await queries.invalidateQueries({ queryKey: bindingsQuery(organization.id).queryKey });
    done(`The role is taken away, in: ${where}.`);
  };
  return (
    <ConfirmTyped
      opened
      onClose={onClose}
      title="Take away a role"
      word={binding.role}
      action="Take away"
      code={{
        request: { method: "DELETE", path: `/v1/organizations/${organization.id}/role-bindings/${binding.id}` },
        removed: { type: resource, name: nameOf(member, binding.role) },
      }}
      onConfirm={take}
    >
      {member.name} may no longer do what only this role allows, in: {where}. Other roles stay.
    </ConfirmTyped>
  );
}

function Binding({
  organization,
  member,
  binding,
  places,
  onTake,
}: BindingProps & { places: Place[]; onTake: () => void }) {
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const where = placeLabel(places, binding.scope);
  const change = async (role: RoleName) => {
    setBusy(true);
    setError(undefined);
    try {
      const params = { path: { organization: organization.id, binding: binding.id }, header: { "If-Match": "*" } };
      await got(api.PATCH("/v1/organizations/{organization}/role-bindings/{binding}", { body: { role }, params }));
      await queries.invalidateQueries({ queryKey: bindingsQuery(organization.id).queryKey });
      done(`${roleLabel(role)} now, in: ${where}.`);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Stack gap="xs">
      <Group align="flex-end" wrap="nowrap">
        <RoleSelect
          label={where}
          flex={1}
          disabled={busy}
          value={binding.role}
          onChange={(role) => {
            if (role && role !== binding.role) void change(role as RoleName);
          }}
        />
        <ActionIcon
          variant="default"
          size={36}
          disabled={busy}
          aria-label={`Take the role away: ${where}`}
          onClick={onTake}
        >
          <IconTrash size={16} />
        </ActionIcon>
      </Group>
      {error !== undefined && <ProblemAlert error={error} />}
      <AsCode
        request={{
          method: "PATCH",
          path: `/v1/organizations/${organization.id}/role-bindings/${binding.id}`,
          body: { role: binding.role },
        }}
        resource={{
          type: resource,
          name: nameOf(member, binding.role),
          attributes: { organization: organization.id, principal: member.id, scope: binding.scope, role: binding.role },
        }}
      />
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
            type: resource,
            name: nameOf(member, role),
            attributes: { organization: organization.id, principal: member.id, scope, role },
          }}
        />
      </Stack>
    </form>
  );
}
