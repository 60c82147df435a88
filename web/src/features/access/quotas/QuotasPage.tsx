import { Badge, Button, Group, Select, Stack, Table, Text } from "@mantine/core";
import { IconGauge, IconHourglass, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, got } from "@/api/client";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Empty } from "@/components/Empty";
import { Listing, RowActions } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { type Quota, quotasQuery, type ServiceAccount, usePrincipals } from "../api";
import { useClusterId } from "../parts";
import { useChange } from "../saving";
import { entityText, limits, quotaText, sorts, userName, valuesOf } from "./entity";
import { type Edited, QuotaForm } from "./QuotaForm";

/** How much clients of a cluster may use. */
export function QuotasPage() {
  const cluster = useClusterId();
  const quotas = useQuery(quotasQuery(cluster));
  const { accounts } = usePrincipals(cluster);
  const [edited, edit] = useState<Edited>();
  const [going, remove] = useState<Quota>();
  const set = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => edit({})}>
      Set quotas
    </Button>
  );
  return (
    <Page
      title="Quotas"
      lead="How much clients may send, fetch and ask for, as in Kafka: who has more is made to wait. The closest entity counts, for each limit by itself."
      actions={
        <>
          <Throttled cluster={cluster} />
          {set}
        </>
      }
    >
      <Loaded query={quotas}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={IconGauge} title="No client has a quota here">
              <Text size="sm">Begin with a default for any user, then give those more that need it.</Text>
              {set}
            </Empty>
          ) : (
            <Quotas items={items} accounts={accounts} onEdit={edit} onDelete={remove} />
          )
        }
      </Loaded>
      <QuotaForm cluster={cluster} accounts={accounts} edited={edited} onClose={() => edit(undefined)} />
      <DeleteQuota cluster={cluster} quota={going} accounts={accounts} onClose={() => remove(undefined)} />
    </Page>
  );
}

function Throttled({ cluster }: { cluster: string }) {
  return (
    <Button
      variant="default"
      leftSection={<IconHourglass size={16} />}
      renderRoot={(props) => <Link {...props} to="/clusters/$cluster/access/why-throttled" params={{ cluster }} />}
    >
      Why throttled?
    </Button>
  );
}

interface QuotasProps {
  items: readonly Quota[];
  accounts: readonly ServiceAccount[];
  onEdit: (edited: Edited) => void;
  onDelete: (quota: Quota) => void;
}

function Quotas({ items, accounts, onEdit, onDelete }: QuotasProps) {
  const [sort, setSort] = useState<string | null>(null);
  const shown = items
    .filter(({ entity }) => sort === null || valuesOf(entity).sort === sort)
    .map((quota) => ({ quota, text: entityText(quota.entity, userName(accounts)) }))
    .sort((a, b) => a.text.localeCompare(b.text));
  return (
    <Stack>
      <Select label="Whose" placeholder="All" data={sorts} value={sort} onChange={setSort} clearable w={220} />
      <Listing label="Quotas" headings={["Whose", "Limits", ""]} width={440}>
        {shown.map(({ quota, text }) => (
          <Table.Tr key={quota.id}>
            <Table.Td>
              <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
                {text}
              </Text>
            </Table.Td>
            <Table.Td>
              <Group gap={6}>
                {limits(quota).map(({ what, value }) => (
                  <Badge key={what.key} variant="default" tt="none" title={what.about}>
                    {what.label}: {quotaText(value, what)}
                  </Badge>
                ))}
              </Group>
            </Table.Td>
            <RowActions>
              <Button size="compact-sm" variant="default" onClick={() => onEdit({ quota })} aria-label={`Edit ${text}`}>
                Edit
              </Button>
              <Button size="compact-sm" variant="default" onClick={() => onDelete(quota)} aria-label={`Delete ${text}`}>
                Delete
              </Button>
            </RowActions>
          </Table.Tr>
        ))}
      </Listing>
    </Stack>
  );
}

interface DeleteProps {
  cluster: string;
  quota: Quota | undefined;
  accounts: readonly ServiceAccount[];
  onClose: () => void;
}

function DeleteQuota({ cluster, quota, accounts, onClose }: DeleteProps) {
  const deletion = useChange({
    send: (id: string) => {
      const params = { path: { cluster, quota: id }, header: { "If-Match": "*" } };
      return got(api.DELETE("/v1/clusters/{cluster}/quotas/{quota}", { params }));
    },
    touches: [["quotas", cluster]],
    said: "The quotas are deleted",
  });
  if (!quota) return null;
  const text = entityText(quota.entity, userName(accounts));
  return (
    <ConfirmTyped
      opened
      onClose={onClose}
      title="Delete quotas"
      word={text}
      action="Delete quotas"
      code={{
        request: { method: "DELETE", path: `/v1/clusters/${cluster}/quotas/${quota.id}` },
        removed: { type: "firn_quota", name: entityText(quota.entity) },
      }}
      onConfirm={() => deletion.mutateAsync(quota.id)}
    >
      It then counts by the default, if there is one; else only the cluster's own limits hold it back.
    </ConfirmTyped>
  );
}
