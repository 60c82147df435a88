import { Alert, Button, Code, Group, Paper, Stack, Table, Text, Title } from "@mantine/core";
import { IconCertificate, IconClock, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Empty } from "@/components/Empty";
import { count, moment } from "@/components/format";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { type CaPool, caPoolsQuery } from "../api";
import { Id, useClusterId } from "../parts";
import { useChange } from "../saving";
import { CaPoolForm } from "./CaPoolForm";
import { Validity } from "./Validity";

/** How long before it ends one is told. */
const warning = 30 * 86_400_000;

/** The certificate authorities whose clients a cluster takes. */
export function CaPoolsPage() {
  const cluster = useClusterId();
  const pools = useQuery(caPoolsQuery(cluster));
  const [edited, edit] = useState<string | null>();
  const [going, remove] = useState<CaPool>();
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => edit(null)}>
      Add CA pool
    </Button>
  );
  return (
    <Page
      title="CA pools"
      lead="Authorities whose certificates Kafka clients may log in with (mTLS), and how a certificate becomes a name that ACLs know."
      actions={create}
    >
      <Loaded query={pools}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={IconCertificate} title="No client logs in by certificate here">
              <Text size="sm">Add the certificate of your authority; then allow its clients by ACLs.</Text>
              {create}
            </Empty>
          ) : (
            <Stack>
              <Expiring pools={items} />
              {items.map((pool) => (
                <Pool key={pool.id} pool={pool} onEdit={() => edit(pool.id)} onDelete={() => remove(pool)} />
              ))}
            </Stack>
          )
        }
      </Loaded>
      <CaPoolForm cluster={cluster} edited={edited} onClose={() => edit(undefined)} />
      <DeletePool cluster={cluster} pool={going} onClose={() => remove(undefined)} />
    </Page>
  );
}

/** What ends within a month, and what that means. */
function Expiring({ pools }: { pools: readonly CaPool[] }) {
  const soon = (at: string | null | undefined) => at && new Date(at).getTime() - Date.now() < warning;
  const lines = pools.flatMap((pool) => [
    ...pool.certificates
      .filter(({ not_after }) => soon(not_after))
      .map(({ subject, not_after }) => `${pool.name}: ${subject} holds until ${moment(not_after)}`),
    ...pool.revocation_lists
      .filter(({ next_update }) => soon(next_update))
      .map(({ issuer, next_update }) => `${pool.name}: the revocation list of ${issuer} is due ${moment(next_update)}`),
  ]);
  if (lines.length === 0) return null;
  return (
    <Alert color="orange" icon={<IconClock size={18} />} title="Ends within 30 days, or has ended">
      {lines.map((line) => (
        <Text key={line} size="sm" style={{ overflowWrap: "anywhere" }}>
          {line}
        </Text>
      ))}
      <Text size="sm" mt={4}>
        Add the new one beside the old one, give clients new certificates, then take the old one out.
      </Text>
    </Alert>
  );
}

function Pool({ pool, onEdit, onDelete }: { pool: CaPool; onEdit: () => void; onDelete: () => void }) {
  return (
    <Paper withBorder p="md" radius="md" component="section" aria-label={`CA pool ${pool.name}`}>
      <Group justify="space-between" align="flex-start" mb="sm">
        <div>
          <Title order={2} size="h4">
            {pool.name}
          </Title>
          <Id id={pool.id} what="id" />
        </div>
        <Group gap="xs">
          <Button size="compact-sm" variant="default" onClick={onEdit} aria-label={`Edit ${pool.name}`}>
            Edit
          </Button>
          <Button size="compact-sm" variant="default" onClick={onDelete} aria-label={`Delete ${pool.name}`}>
            Delete
          </Button>
        </Group>
      </Group>
      <Listing label={`Authorities of ${pool.name}`} headings={["Authority", "Holds until", "Fingerprint"]} width={560}>
        {pool.certificates.map((certificate) => (
          <Table.Tr key={certificate.fingerprint}>
            <Table.Td>
              <Text size="sm" style={{ overflowWrap: "anywhere" }}>
                {certificate.subject}
              </Text>
            </Table.Td>
            <Table.Td>
              <Validity until={certificate.not_after} />
            </Table.Td>
            <Table.Td>
              <Id id={certificate.fingerprint.slice(0, 16)} what="fingerprint" copied={certificate.fingerprint} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Listing>
      <Text size="sm" mt="sm" style={{ overflowWrap: "anywhere" }}>
        Names from <b>{pool.mapping.source}</b> by <Code>{pool.mapping.rules}</Code>
      </Text>
      {pool.revocation_lists.map((list) => (
        <Group key={`${list.issuer} ${list.this_update}`} gap="xs">
          <Text size="sm">
            {count(list.count)} revoked by {list.issuer}, {list.next_update ? "next list due" : "made"}
          </Text>
          {list.next_update ? <Validity until={list.next_update} late="overdue" /> : moment(list.this_update)}
        </Group>
      ))}
    </Paper>
  );
}

interface DeleteProps {
  cluster: string;
  pool: CaPool | undefined;
  onClose: () => void;
}

function DeletePool({ cluster, pool, onClose }: DeleteProps) {
  const deletion = useChange({
    send: (ca_pool: string) => {
      const params = { path: { cluster, ca_pool }, header: { "If-Match": "*" } };
      return got(api.DELETE("/v1/clusters/{cluster}/ca-pools/{ca_pool}", { params }));
    },
    touches: [["ca-pools", cluster]],
    said: "The CA pool is deleted",
  });
  if (!pool) return null;
  return (
    <ConfirmTyped
      opened
      onClose={onClose}
      title="Delete CA pool"
      word={pool.name}
      action="Delete CA pool"
      code={{
        request: { method: "DELETE", path: `/v1/clusters/${cluster}/ca-pools/${pool.id}` },
        removed: { type: "firn_ca_pool", name: pool.name },
      }}
      onConfirm={() => deletion.mutateAsync(pool.id)}
    >
      Its clients can no longer log in, and their connections are closed at once.
    </ConfirmTyped>
  );
}
