import { Button, Group, Stack, Tabs, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPassword, IconPencil, IconTrash, IconUserShield } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { CopyField } from "@/components/CopyField";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { projectsQuery, useWorkspace } from "@/shell/workspace";
import { type ServiceAccount, serviceAccountQuery } from "../api";
import { useChange } from "../saving";
import { AccountRoles } from "./AccountRoles";
import { AccountScram } from "./AccountScram";
import { ApiKeys } from "./ApiKeys";
import { RenameAccount } from "./RenameAccount";

/** One service account: its keys, its passwords, its roles. */
export function ServiceAccountPage() {
  const { account: id } = useParams({ from: "/app/service-accounts/$account" });
  const query = useQuery(serviceAccountQuery(id));
  const account = query.data?.value;
  return (
    <Page
      title={account?.name ?? "Service account"}
      lead={account?.description}
      trail={[{ label: "Service accounts", to: "/service-accounts" }]}
      actions={query.data && <Actions account={query.data.value} etag={query.data.etag} />}
    >
      <Loaded query={query}>{({ value }) => <Account account={value} />}</Loaded>
    </Page>
  );
}

function Account({ account }: { account: ServiceAccount }) {
  const { organizations, organization } = useWorkspace();
  const { data: projects = [] } = useQuery(projectsQuery(organization?.id));
  const owner = projects.find(({ id }) => id === account.project)?.organization ?? organizations[0]?.id;
  return (
    <Stack>
      <Group gap="xl">
        <Stack gap={2}>
          <Text size="xs" c="dimmed">
            In Kafka, and in ACLs
          </Text>
          <CopyField value={`User:${account.id}`} label="principal" />
        </Stack>
      </Group>
      <Tabs defaultValue="keys" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="keys" leftSection={<IconKey size={16} />}>
            API keys
          </Tabs.Tab>
          <Tabs.Tab value="scram" leftSection={<IconPassword size={16} />}>
            Passwords
          </Tabs.Tab>
          <Tabs.Tab value="roles" leftSection={<IconUserShield size={16} />}>
            Roles
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="keys" pt="md">
          <ApiKeys account={account} />
        </Tabs.Panel>
        <Tabs.Panel value="scram" pt="md">
          <AccountScram account={account} />
        </Tabs.Panel>
        <Tabs.Panel value="roles" pt="md">
          <AccountRoles account={account} organization={owner} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Actions({ account, etag }: { account: ServiceAccount; etag: string }) {
  const navigate = useNavigate();
  const [renaming, rename] = useDisclosure();
  const [deleting, remove] = useDisclosure();
  const deletion = useChange({
    send: () =>
      got(
        api.DELETE("/v1/service-accounts/{service_account}", {
          params: { path: { service_account: account.id }, header: { "If-Match": etag } },
        }),
      ),
    touches: [["service-accounts", account.project]],
    said: `${account.name} is deleted`,
    onDone: () => void navigate({ to: "/service-accounts", search: { project: account.project } }),
  });
  return (
    <>
      <Button variant="default" leftSection={<IconPencil size={16} />} onClick={rename.open}>
        Edit
      </Button>
      <Button color="red" variant="outline" leftSection={<IconTrash size={16} />} onClick={remove.open}>
        Delete
      </Button>
      <RenameAccount account={account} etag={etag} opened={renaming} onClose={rename.close} />
      <ConfirmTyped
        opened={deleting}
        onClose={remove.close}
        title="Delete service account"
        word={account.name}
        action="Delete service account"
        code={{
          request: { method: "DELETE", path: `/v1/service-accounts/${account.id}` },
          removed: { type: "firn_service_account", name: account.name },
        }}
        onConfirm={() => deletion.mutateAsync(undefined)}
      >
        All its roles, API keys and Kafka passwords go with it, and connections that use them are closed at once. This
        cannot be taken back.
      </ConfirmTyped>
    </>
  );
}
