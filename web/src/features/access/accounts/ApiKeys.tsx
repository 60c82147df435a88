import { Alert, Button, Group, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus, IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { Ago } from "@/components/Ago";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Empty } from "@/components/Empty";
import { Listing, RowActions } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { type Cluster, clustersQuery } from "@/shell/workspace";
import { type ApiKey, apiKeysQuery, type ServiceAccount } from "../api";
import { Expiry, Id } from "../parts";
import { type Made, SecretOnce } from "../SecretOnce";
import { useChange } from "../saving";
import { NewApiKey } from "./NewApiKey";

/** Keys that a service account has for one place at once: the old one and, while programs change over, the new one. */
const most = 2;

/** The API keys of a service account. */
export function ApiKeys({ account }: { account: ServiceAccount }) {
  const keys = useQuery(apiKeysQuery(account.id));
  const { data: clusters = [] } = useQuery(clustersQuery(account.project));
  const [making, { open, close }] = useDisclosure();
  const [made, setMade] = useState<Made>();
  const [revoked, revoke] = useState<ApiKey>();
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      Create API key
    </Button>
  );
  return (
    <Stack>
      <Loaded query={keys}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={IconKey} title="No API key yet">
              <Text size="sm">
                A key for REST drives this API, from curl or Terraform. One for a cluster is also a Kafka password
                (PLAIN).
              </Text>
              {create}
            </Empty>
          ) : (
            <>
              <Group justify="space-between">
                <Text size="sm" c="dimmed">
                  {items.length === 1 ? "1 key is active" : `${items.length} keys are active`}
                </Text>
                {create}
              </Group>
              <Rotation keys={items} clusters={clusters} />
              <Listing
                label="API keys"
                headings={["Name", "For", "Made", "Expires", "Last used", "Id", ""]}
                width={960}
              >
                {items.map((key) => (
                  <KeyRow key={key.id} apiKey={key} clusters={clusters} onRevoke={() => revoke(key)} />
                ))}
              </Listing>
            </>
          )
        }
      </Loaded>
      <NewApiKey account={account} clusters={clusters} opened={making} onClose={close} onMade={setMade} />
      <SecretOnce made={made} onClose={() => setMade(undefined)} />
      <Revoke account={account.id} apiKey={revoked} onClose={() => revoke(undefined)} />
    </Stack>
  );
}

function place(key: ApiKey, clusters: readonly Cluster[]): string {
  if (!key.cluster) return "REST";
  return clusters.find(({ id }) => id === key.cluster)?.name ?? key.cluster;
}

/** Says where a rotation is under way, and how it goes on. */
function Rotation({ keys, clusters }: { keys: readonly ApiKey[]; clusters: readonly Cluster[] }) {
  const names = new Set(keys.map((key) => place(key, clusters)));
  const under = [...names].filter((name) => keys.filter((key) => place(key, clusters) === name).length >= most);
  return under.map((name) => {
    return (
      <Alert key={name} icon={<IconRefresh size={18} />} variant="light" title={`Rotation under way: ${name}`}>
        Two keys are active, which is the most. Give your programs the newer one; when the older one is no longer used,
        revoke it.
      </Alert>
    );
  });
}

interface RowProps {
  apiKey: ApiKey;
  clusters: readonly Cluster[];
  onRevoke: () => void;
}

function KeyRow({ apiKey, clusters, onRevoke }: RowProps) {
  return (
    <Table.Tr>
      <Table.Td>{apiKey.name || "–"}</Table.Td>
      <Table.Td>{place(apiKey, clusters)}</Table.Td>
      <Table.Td>
        <Text size="sm">
          <Ago at={apiKey.created_at} />
        </Text>
      </Table.Td>
      <Table.Td>
        <Expiry at={apiKey.expires_at} />
      </Table.Td>
      <Table.Td>
        <Text size="sm">
          <Ago at={apiKey.last_used_at} />
        </Text>
      </Table.Td>
      <Table.Td>
        <Id id={apiKey.id} what="key id" />
      </Table.Td>
      <RowActions>
        <Button
          size="compact-sm"
          variant="default"
          onClick={onRevoke}
          aria-label={`Revoke ${apiKey.name || apiKey.id}`}
        >
          Revoke
        </Button>
      </RowActions>
    </Table.Tr>
  );
}

function Revoke({ account, apiKey, onClose }: { account: string; apiKey: ApiKey | undefined; onClose: () => void }) {
  const revocation = useChange({
    send: (id: string) => got(api.DELETE("/v1/api-keys/{api_key}", { params: { path: { api_key: id } } })),
    touches: [["api-keys", account]],
    said: "The key is revoked",
  });
  if (!apiKey) return null;
  return (
    <ConfirmTyped
      opened
      onClose={onClose}
      title="Revoke API key"
      word={apiKey.name || apiKey.id}
      action="Revoke API key"
      code={{
        request: { method: "DELETE", path: `/v1/api-keys/${apiKey.id}` },
        removed: { type: "firn_api_key", name: apiKey.name || apiKey.id },
      }}
      onConfirm={() => revocation.mutateAsync(apiKey.id)}
    >
      Tokens that it was traded for stop with it, and connections that use it are closed at once. Last used:{" "}
      <Ago at={apiKey.last_used_at} />.
    </ConfirmTyped>
  );
}
