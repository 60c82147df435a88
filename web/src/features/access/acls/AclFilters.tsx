import { Autocomplete, Button, Group, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconFilterOff } from "@tabler/icons-react";
import { useState } from "react";
import type { ServiceAccount } from "../api";
import type { AclFilter } from "./useAcls";
import { everyOperation, operationsOf, resourceTypes, spoken } from "./words";

interface Props {
  filter: AclFilter;
  accounts: readonly ServiceAccount[];
  onChange: (filter: AclFilter) => void;
}

/** A filter without what is empty. */
function cleaned(filter: AclFilter): AclFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
}

/** Which ACLs are shown: asked of the service, so that it holds for all of them. */
export function AclFilters({ filter, accounts, onChange }: Props) {
  const [who, setWho] = useState(() => nameOf(filter.principal, accounts));
  const [name, setName] = useState(filter.resource_name ?? "");
  const later = useDebouncedCallback(onChange, 250);
  const principals = accounts.map((account) => account.name);
  const operations = filter.resource_type ? ["all", ...operationsOf(filter.resource_type)] : everyOperation;
  const clear = () => {
    setWho("");
    setName("");
    onChange({});
  };
  return (
    <Group align="flex-end" gap="sm" role="search" aria-label="Filter ACLs">
      <Autocomplete
        label="Who"
        placeholder="Service account or User:name"
        data={[...new Set(principals), "User:*"]}
        value={who}
        onChange={(text) => {
          setWho(text);
          later(cleaned({ ...filter, principal: principalOf(text, accounts) }));
        }}
        w={{ base: "100%", xs: 230 }}
      />
      <Select
        label="Kind"
        placeholder="Any"
        data={resourceTypes}
        value={filter.resource_type ?? null}
        onChange={(value) => onChange(cleaned({ ...filter, resource_type: value ?? "", operation: "" }))}
        clearable
        w={{ base: "47%", xs: 150 }}
      />
      <TextInput
        label="Applies to"
        placeholder="Name of a resource"
        value={name}
        onChange={({ currentTarget }) => {
          setName(currentTarget.value);
          later(cleaned({ ...filter, resource_name: currentTarget.value.trim() }));
        }}
        w={{ base: "47%", xs: 180 }}
      />
      <Select
        label="Operation"
        placeholder="Any"
        data={operations.map((value) => ({ value, label: spoken(value) }))}
        value={filter.operation ?? null}
        onChange={(value) => onChange(cleaned({ ...filter, operation: value ?? "" }))}
        clearable
        w={{ base: "47%", xs: 150 }}
      />
      <Select
        label="Effect"
        placeholder="Any"
        data={["allow", "deny"]}
        value={filter.permission ?? null}
        onChange={(value) => onChange(cleaned({ ...filter, permission: value ?? "" }))}
        clearable
        w={{ base: "47%", xs: 110 }}
      />
      {Object.keys(filter).length > 0 && (
        <Button variant="subtle" leftSection={<IconFilterOff size={16} />} onClick={clear}>
          Clear
        </Button>
      )}
    </Group>
  );
}

function nameOf(principal: string | undefined, accounts: readonly ServiceAccount[]): string {
  return accounts.find(({ id }) => `User:${id}` === principal)?.name ?? principal ?? "";
}

/** What was typed, as a principal: the service account of that name, or whoever is meant. */
function principalOf(text: string, accounts: readonly ServiceAccount[]): string {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.startsWith("User:")) return trimmed;
  const account = accounts.find(({ name, id }) => name === trimmed || id === trimmed);
  return account ? `User:${account.id}` : `User:${trimmed}`;
}
