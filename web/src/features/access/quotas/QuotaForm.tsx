import { Button, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { ProblemAlert } from "@/components/ProblemAlert";
import type { Quota, QuotaEntity, QuotaValues, ServiceAccount } from "../api";
import { Dialog } from "../parts";
import { useChange } from "../saving";
import { EntityFields } from "./EntityFields";
import { counted, type EntityValues, entityAttributes, entityOf, entityText, inUnit, nobody, valuesOf } from "./entity";
import { type Amount, LimitField } from "./LimitField";

/** What is edited: quotas that are there, or new ones. */
export interface Edited {
  quota?: Quota;
}

interface Props {
  cluster: string;
  accounts: readonly ServiceAccount[];
  edited: Edited | undefined;
  onClose: () => void;
}

/** Sets all quotas of one entity. */
export function QuotaForm({ edited, onClose, ...rest }: Props) {
  return (
    <Dialog
      opened={edited !== undefined}
      onClose={onClose}
      title={edited?.quota ? `Quotas of ${entityText(edited.quota.entity)}` : "Set quotas"}
    >
      {edited && <Form {...rest} quota={edited.quota} onClose={onClose} />}
    </Dialog>
  );
}

interface Values {
  entity: EntityValues;
  limits: Record<string, Amount>;
}

function start(quota: Quota | undefined): Values {
  const limits = counted.map((what): [string, Amount] => {
    const value = quota?.quotas[what.key];
    if (typeof value === "number") return [what.key, inUnit(value, what)];
    return [what.key, { amount: "", unit: what.units[0]?.label ?? "" }];
  });
  const entity: EntityValues = quota
    ? valuesOf(quota.entity)
    : { sort: "user", user: nobody, client: nobody, ip: nobody };
  return { entity, limits: Object.fromEntries(limits) };
}

/** Those that fit the entity. */
function fitting({ sort }: EntityValues) {
  return counted.filter(({ ofAddresses }) => ofAddresses === (sort === "ip"));
}

function bodyOf(values: Values): { entity: QuotaEntity; quotas: QuotaValues } {
  const quotas: Partial<Record<keyof QuotaValues, number>> = {};
  for (const what of fitting(values.entity)) {
    const { amount, unit } = values.limits[what.key] ?? { amount: "", unit: "" };
    const factor = what.units.find(({ label }) => label === unit)?.factor ?? 1;
    if (amount !== "") quotas[what.key] = Number(amount) * factor;
  }
  return { entity: entityOf(values.entity), quotas: quotas as QuotaValues };
}

function Form({ cluster, accounts, quota, onClose }: Omit<Props, "edited"> & { quota: Quota | undefined }) {
  const form = useForm<Values>({ initialValues: start(quota) });
  const body = bodyOf(form.values);
  const save = useChange({
    send: (body: ReturnType<typeof bodyOf>) =>
      got(api.PUT("/v1/clusters/{cluster}/quotas", { params: { path: { cluster } }, body })),
    touches: [["quotas", cluster]],
    said: "The quotas are in force",
    onDone: onClose,
  });
  const none = Object.keys(body.quotas).length === 0;
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(bodyOf(values)))}>
      <Stack>
        <EntityFields
          values={form.values.entity}
          accounts={accounts}
          fixed={quota !== undefined}
          error={save.error}
          onChange={(entity) => form.setFieldValue("entity", entity)}
        />
        {fitting(form.values.entity).map((what) => (
          <LimitField
            key={what.key}
            what={what}
            value={form.values.limits[what.key] ?? { amount: "", unit: "" }}
            error={save.error}
            onChange={(amount) => form.setFieldValue("limits", { ...form.values.limits, [what.key]: amount })}
          />
        ))}
        <Text size="xs" c="dimmed">
          What is left empty is not limited by this entity.
        </Text>
        {save.error && <ProblemAlert error={save.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending} disabled={none}>
            Set quotas
          </Button>
        </Group>
        <AsCode
          request={{ method: "PUT", path: `/v1/clusters/${cluster}/quotas`, body }}
          resource={{
            type: "firn_quota",
            name: entityText(body.entity),
            attributes: { cluster, ...entityAttributes(body.entity), ...body.quotas },
          }}
        />
      </Stack>
    </form>
  );
}
