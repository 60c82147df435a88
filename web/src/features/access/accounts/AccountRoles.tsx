import { Badge, Button, Group, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconUserShield } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { Ago } from "@/components/Ago";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Empty } from "@/components/Empty";
import { Listing, RowActions } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { clustersQuery, projectsQuery } from "@/shell/workspace";
import { type RoleBinding, roleBindingsQuery, type ServiceAccount } from "../api";
import { useChange } from "../saving";
import { NewRole } from "./NewRole";

interface Props {
  account: ServiceAccount;
  organization: string | undefined;
}

/** Where a role can hold: by its id, with what people call it. */
export function useScopes(account: ServiceAccount, organization: string | undefined) {
  const { data: projects = [] } = useQuery(projectsQuery(organization));
  const { data: clusters = [] } = useQuery(clustersQuery(account.project));
  return [
    ...(organization ? [{ value: organization, label: "The organization and all in it" }] : []),
    ...projects.map(({ id, name }) => ({ value: id, label: `Project ${name}` })),
    ...clusters.map(({ id, name }) => ({ value: id, label: `Cluster ${name}` })),
  ];
}

/** The roles of a service account. */
export function AccountRoles({ account, organization }: Props) {
  const bindings = useQuery(roleBindingsQuery(organization, account.id));
  const scopes = useScopes(account, organization);
  const [making, { open, close }] = useDisclosure();
  const [taken, take] = useState<RoleBinding>();
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      Give a role
    </Button>
  );
  const nameOf = (scope: string) => scopes.find(({ value }) => value === scope)?.label ?? scope;
  return (
    <Stack>
      <Loaded query={bindings}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={IconUserShield} title="It has no role">
              <Text size="sm">Only ACLs let it do anything, which is as it should be for most programs.</Text>
              {create}
            </Empty>
          ) : (
            <>
              <Group justify="flex-end">{create}</Group>
              <Listing label="Roles" headings={["Role", "Where", "Since", ""]}>
                {items.map((binding) => (
                  <Table.Tr key={binding.id}>
                    <Table.Td>
                      <Badge variant="default">{binding.role}</Badge>
                    </Table.Td>
                    <Table.Td>{nameOf(binding.scope)}</Table.Td>
                    <Table.Td>
                      <Ago at={binding.created_at} />
                    </Table.Td>
                    <RowActions>
                      <Button size="compact-sm" variant="default" onClick={() => take(binding)}>
                        Take away
                      </Button>
                    </RowActions>
                  </Table.Tr>
                ))}
              </Listing>
            </>
          )
        }
      </Loaded>
      <NewRole account={account} organization={organization} scopes={scopes} opened={making} onClose={close} />
      <TakeRole account={account} binding={taken} organization={organization} onClose={() => take(undefined)} />
    </Stack>
  );
}

interface TakeProps {
  account: ServiceAccount;
  binding: RoleBinding | undefined;
  organization: string | undefined;
  onClose: () => void;
}

function TakeRole({ account, binding, organization, onClose }: TakeProps) {
  const deletion = useChange({
    send: (id: string) => {
      const params = { path: { organization: organization ?? "", binding: id }, header: { "If-Match": "*" } };
      return got(api.DELETE("/v1/organizations/{organization}/role-bindings/{binding}", { params }));
    },
    touches: [["role-bindings"]],
    said: "The role is taken away",
  });
  if (!binding) return null;
  return (
    <ConfirmTyped
      opened
      onClose={onClose}
      title="Take away a role"
      word={binding.role}
      action="Take away"
      code={{
        request: { method: "DELETE", path: `/v1/organizations/${organization}/role-bindings/${binding.id}` },
        removed: { type: "firn_role_binding", name: account.name },
      }}
      onConfirm={() => deletion.mutateAsync(binding.id)}
    >
      From then on only its other roles and ACLs let it do anything. Requests that it makes at this moment are judged by
      that.
    </ConfirmTyped>
  );
}
