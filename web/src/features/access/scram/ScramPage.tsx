import { Alert, Badge, Button, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPassword, IconPlus, IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { Ago } from "@/components/Ago";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Empty } from "@/components/Empty";
import { moment } from "@/components/format";
import { Listing, RowActions } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { accountName, type ScramCredential, type ServiceAccount, scramQuery, usePrincipals } from "../api";
import { Expiry, PrincipalName, useClusterId } from "../parts";
import { type Made as MadeSecret, SecretOnce } from "../SecretOnce";
import { useChange } from "../saving";
import { NewScram } from "./NewScram";

/** The passwords with which Kafka clients log in to a cluster. */
export function ScramPage() {
  const cluster = useClusterId();
  const credentials = useQuery(scramQuery(cluster));
  const { accounts, project } = usePrincipals(cluster);
  const [rotated, setRotated] = useState<ScramCredential>();
  const [making, { open, close }] = useDisclosure();
  const [made, setMade] = useState<MadeSecret>();
  const [revoked, revoke] = useState<ScramCredential>();
  const rotate = (credential?: ScramCredential) => {
    setRotated(credential);
    open();
  };
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => rotate()}>
      Create credential
    </Button>
  );
  return (
    <Page
      title="SCRAM credentials"
      lead="User names and passwords of Kafka clients. A user name can have two passwords at once, so that none is cut off while they change over."
      actions={create}
    >
      <Loaded query={credentials}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={IconPassword} title="No client has a password here yet">
              <Text size="sm">Make one for a service account, then let it do something by a role or by ACLs.</Text>
              {create}
            </Empty>
          ) : (
            <Stack>
              <Rotation credentials={items} />
              <Credentials items={items} accounts={accounts} onRotate={rotate} onRevoke={revoke} />
            </Stack>
          )
        }
      </Loaded>
      <NewScram
        cluster={cluster}
        project={project}
        accounts={accounts}
        rotated={rotated}
        opened={making}
        onClose={close}
        onMade={setMade}
      />
      <SecretOnce made={made} onClose={() => setMade(undefined)} />
      <Revoke cluster={cluster} accounts={accounts} credential={revoked} onClose={() => revoke(undefined)} />
    </Page>
  );
}

/** How many credentials have this user name. */
function passwords(credentials: readonly ScramCredential[], username: string): number {
  return credentials.filter((each) => each.username === username).length;
}

function Rotation({ credentials }: { credentials: readonly ScramCredential[] }) {
  const names = [...new Set(credentials.map(({ username }) => username))];
  const under = names.filter((name) => passwords(credentials, name) > 1);
  if (under.length === 0) return null;
  return (
    <Alert icon={<IconRefresh size={18} />} variant="light" title={`Rotation under way: ${under.join(", ")}`}>
      Two passwords work. Give your programs the newer one; when the older one is no longer used, revoke it.
    </Alert>
  );
}

function byName(a: ScramCredential, b: ScramCredential): number {
  return a.username.localeCompare(b.username) || a.created_at.localeCompare(b.created_at);
}

/** When a password was made; of two of one user name also which is the newer. */
function Made({ credential, items }: { credential: ScramCredential; items: readonly ScramCredential[] }) {
  const others = items.filter(({ id, username }) => username === credential.username && id !== credential.id);
  const newer = others.every(({ created_at }) => created_at <= credential.created_at);
  return (
    <Stack gap={2} align="flex-start">
      <Text size="sm" style={{ whiteSpace: "nowrap" }}>
        {moment(credential.created_at)}
      </Text>
      {others.length > 0 && (
        <Badge variant="default" tt="none">
          {newer ? "the newer one" : "the older one"}
        </Badge>
      )}
    </Stack>
  );
}

interface CredentialsProps {
  items: readonly ScramCredential[];
  accounts: readonly ServiceAccount[];
  onRotate: (credential: ScramCredential) => void;
  onRevoke: (credential: ScramCredential) => void;
}

function Credentials({ items, accounts, onRotate, onRevoke }: CredentialsProps) {
  return (
    <Listing
      label="SCRAM credentials"
      headings={["User name", "Whose", "Mechanisms", "Expires", "Made", "Last used", ""]}
      width={1_000}
    >
      {items.toSorted(byName).map((credential) => (
        <Table.Tr key={credential.id}>
          <Table.Td>
            <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
              {credential.username}
            </Text>
          </Table.Td>
          <Table.Td>
            <Whose credential={credential} accounts={accounts} />
          </Table.Td>
          <Table.Td>
            <Text size="sm">{credential.mechanisms.map((name) => name.replace(/^SCRAM-/, "")).join(", ")}</Text>
          </Table.Td>
          <Table.Td>
            <Expiry at={credential.expires_at} />
          </Table.Td>
          <Table.Td>
            <Made credential={credential} items={items} />
          </Table.Td>
          <Table.Td>
            <Ago at={credential.last_used_at} />
          </Table.Td>
          <RowActions>
            {credential.service_account && passwords(items, credential.username) < 2 && (
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => onRotate(credential)}
                aria-label={`Rotate ${credential.username}`}
              >
                Rotate
              </Button>
            )}
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => onRevoke(credential)}
              aria-label={`Revoke ${credential.username}`}
            >
              Revoke
            </Button>
          </RowActions>
        </Table.Tr>
      ))}
    </Listing>
  );
}

function Whose({ credential, accounts }: { credential: ScramCredential; accounts: readonly ServiceAccount[] }) {
  if (credential.service_account)
    return <PrincipalName principal={`User:${credential.service_account}`} accounts={accounts} />;
  return (
    <Stack gap={2} align="flex-start">
      <Badge variant="default" tt="none">
        made by Kafka's tools
      </Badge>
      {credential.roles.length > 0 && (
        <Text size="xs" c="dimmed">
          acts as {credential.roles.join(", ")}
        </Text>
      )}
    </Stack>
  );
}

interface RevokeProps {
  cluster: string;
  accounts: readonly ServiceAccount[];
  credential: ScramCredential | undefined;
  onClose: () => void;
}

function Revoke({ cluster, accounts, credential, onClose }: RevokeProps) {
  const revocation = useChange({
    send: (scram_credential: string) => {
      const params = { path: { cluster, scram_credential } };
      return got(api.DELETE("/v1/clusters/{cluster}/scram-credentials/{scram_credential}", { params }));
    },
    touches: [["scram-credentials"]],
    said: "The credential is revoked",
  });
  if (!credential) return null;
  return (
    <ConfirmTyped
      opened
      onClose={onClose}
      title="Revoke credential"
      word={credential.username}
      action="Revoke credential"
      code={{
        request: { method: "DELETE", path: `/v1/clusters/${cluster}/scram-credentials/${credential.id}` },
        removed: {
          type: "firn_scram_credential",
          name: accountName(`User:${credential.service_account}`, accounts) ?? credential.username,
        },
      }}
      onConfirm={() => revocation.mutateAsync(credential.id)}
    >
      The password made {moment(credential.created_at)} stops, and connections that use it are closed at once. Last
      used: <Ago at={credential.last_used_at} />.
    </ConfirmTyped>
  );
}
