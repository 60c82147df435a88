import { SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ServiceAccount } from "../api";

interface Props {
  principal: string;
  accounts: readonly ServiceAccount[];
  onChange: (principal: string) => void;
}

type Sort = "account" | "name" | "everybody";

function sortOf(principal: string, accounts: readonly ServiceAccount[]): Sort {
  if (principal === "User:*") return "everybody";
  if (principal === "") return accounts.length > 0 ? "account" : "name";
  return accounts.some(({ id }) => `User:${id}` === principal) ? "account" : "name";
}

/** Who it is about: a service account, whoever has a name, or everybody. */
export function WhoField({ principal, accounts, onChange }: Props) {
  const [sort, setSort] = useState(() => sortOf(principal, accounts));
  const choose = (chosen: Sort) => {
    setSort(chosen);
    onChange(chosen === "everybody" ? "User:*" : "");
  };
  return (
    <Stack gap="sm">
      <SegmentedControl<Sort>
        aria-label="Who"
        data={[
          { value: "account", label: "Service account" },
          { value: "name", label: "By name" },
          { value: "everybody", label: "Everybody" },
        ]}
        value={sort}
        onChange={choose}
      />
      {sort === "account" && (
        <Select
          label="Service account"
          placeholder={accounts.length === 0 ? "The project has none yet" : "Choose one"}
          data={accounts.map(({ id, name }) => ({ value: `User:${id}`, label: name }))}
          value={principal || null}
          onChange={(chosen) => onChange(chosen ?? "")}
          searchable
          nothingFoundMessage="No service account has that name"
        />
      )}
      {sort === "name" && (
        <TextInput
          label="Name"
          description="What a certificate, a token or a ticket names, or a user that Kafka's own tools made"
          leftSection={<Text size="sm">User:</Text>}
          leftSectionWidth={56}
          value={principal.replace(/^User:/, "")}
          onChange={({ currentTarget }) => {
            const name = currentTarget.value.replace(/^User:/, "");
            onChange(name ? `User:${name}` : "");
          }}
          autoComplete="off"
          spellCheck={false}
          maxLength={1024}
        />
      )}
      {sort === "everybody" && (
        <Text size="sm" c="dimmed">
          Whoever logs in to this cluster, whichever way (User:*).
        </Text>
      )}
    </Stack>
  );
}
