import { Autocomplete, Checkbox, Group, Select, Stack, TextInput } from "@mantine/core";
import type { ServiceAccount } from "../api";
import { faultAt } from "../saving";
import { type EntityValues, type Named, type Sort, sorts } from "./entity";

interface Props {
  values: EntityValues;
  accounts: readonly ServiceAccount[];
  /** The entity stays as it is. */
  fixed: boolean;
  error: unknown;
  onChange: (values: EntityValues) => void;
}

/** Whom quotas are for. */
export function EntityFields({ values, accounts, fixed, error, onChange }: Props) {
  const { sort } = values;
  const byName = new Map(accounts.map(({ id, name }) => [name, id]));
  const known = accounts.find(({ id }) => id === values.user.name);
  return (
    <Stack gap="sm">
      {!fixed && (
        <Select
          label="Quotas for"
          data={sorts}
          value={sort}
          onChange={(chosen) => onChange({ ...values, sort: (chosen ?? "user") as Sort })}
          allowDeselect={false}
        />
      )}
      {(sort === "user" || sort === "user_client") && (
        <NamedField named={values.user} any="Any user" fixed={fixed} onChange={(user) => onChange({ ...values, user })}>
          <Autocomplete
            label="User"
            description={known ? known.id : "A service account, or the name after User:"}
            data={[...byName.keys()]}
            value={known?.name ?? values.user.name}
            onChange={(text) => onChange({ ...values, user: { ...values.user, name: byName.get(text) ?? text } })}
            disabled={fixed || values.user.isDefault}
            error={faultAt(error, "/entity/user")}
            maxLength={255}
          />
        </NamedField>
      )}
      {(sort === "client_id" || sort === "user_client") && (
        <NamedField
          named={values.client}
          any="Any client id"
          fixed={fixed}
          onChange={(client) => onChange({ ...values, client })}
        >
          <TextInput
            label="Client id"
            description="What the client calls itself"
            value={values.client.name}
            onChange={({ currentTarget }) =>
              onChange({ ...values, client: { ...values.client, name: currentTarget.value } })
            }
            disabled={fixed || values.client.isDefault}
            error={faultAt(error, "/entity/client_id")}
            maxLength={255}
          />
        </NamedField>
      )}
      {sort === "ip" && (
        <NamedField named={values.ip} any="Any address" fixed={fixed} onChange={(ip) => onChange({ ...values, ip })}>
          <TextInput
            label="IP address"
            value={values.ip.name}
            onChange={({ currentTarget }) => onChange({ ...values, ip: { ...values.ip, name: currentTarget.value } })}
            disabled={fixed || values.ip.isDefault}
            error={faultAt(error, "/entity/ip")}
            maxLength={45}
          />
        </NamedField>
      )}
    </Stack>
  );
}

interface NamedProps {
  named: Named;
  /** What the default is called. */
  any: string;
  fixed: boolean;
  onChange: (named: Named) => void;
  children: React.ReactNode;
}

/** A name, or the default for all that have no quota of their own. */
function NamedField({ named, any, fixed, onChange, children }: NamedProps) {
  return (
    <Group align="flex-end" gap="md" preventGrowOverflow={false}>
      <div style={{ flex: "1 1 240px" }}>{children}</div>
      {!fixed && (
        <Checkbox
          label={`${any} without one of its own`}
          checked={named.isDefault}
          onChange={({ currentTarget }) => onChange({ ...named, isDefault: currentTarget.checked })}
          mb={8}
        />
      )}
    </Group>
  );
}
