import { Button, Card, Group, MultiSelect, Select, Stack, Switch, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type FormEvent, useEffect, useState } from "react";
import { AsCode } from "@/components/AsCode";
import { localTime, zone } from "@/components/format";
import { type At, undeclared } from "./api";
import { FilterField } from "./FilterField";
import { pathOf, type Search, type StartKind, startOf, startText } from "./search";

interface Props {
  at: At;
  search: Search;
  /** How many the topic has. */
  partitions: number;
  onSearch: (search: Search) => void;
}

const kinds: { value: StartKind; label: string }[] = [
  { value: "last", label: "Newest messages" },
  { value: "earliest", label: "Oldest message" },
  { value: "offset", label: "An offset" },
  { value: "time", label: "A time" },
  { value: "latest", label: "Now: only new ones" },
];

interface Values {
  partitions: string[];
  kind: StartKind;
  count: string;
  offset: string;
  time: string;
  filter: string;
  live: boolean;
}

function valuesOf(search: Search): Values {
  const { kind, value } = startOf(search.start);
  return {
    partitions: search.partitions?.split(",") ?? [],
    kind,
    count: kind === "last" ? value : "50",
    offset: kind === "offset" ? value : "0",
    time: localTime(kind === "time" ? value : new Date(Date.now() - 3_600_000).toISOString(), true),
    filter: search.filter ?? "",
    live: search.live === true,
  };
}

function searchOf({ partitions, kind, count, offset, time, filter, live }: Values): Search | undefined {
  const start = startText(kind, { last: count, offset, time, earliest: "", latest: "" }[kind]);
  if (start === undefined) return undefined;
  return {
    start,
    ...(partitions.length > 0 ? { partitions: partitions.toSorted((a, b) => Number(a) - Number(b)).join(",") } : {}),
    ...(filter.trim() === "" ? {} : { filter: filter.trim() }),
    // What begins now has nothing to show but what comes.
    ...(live || kind === "latest" ? { live: true } : {}),
  };
}

/** Where to look, and for what. */
export function SearchForm({ at, search, partitions, onSearch }: Props) {
  const [values, setValues] = useState(() => valuesOf(search));
  // What the address says applies, also when it changes from elsewhere; the form stays, and with it the focus.
  const told = JSON.stringify(search);
  useEffect(() => setValues(valuesOf(JSON.parse(told) as Search)), [told]);
  const change = (changed: Partial<Values>) => setValues((before) => ({ ...before, ...changed }));
  const asked = searchOf(values);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (asked) onSearch(asked);
  };
  const numbers = Array.from({ length: Math.min(partitions, 1_000) }, (_, number) => String(number));
  return (
    <Card withBorder component="form" onSubmit={submit} role="search" aria-label="Messages">
      <Stack gap="sm">
        <Group align="flex-end" gap="sm">
          <Select
            label="Begin at"
            data={kinds}
            value={values.kind}
            allowDeselect={false}
            onChange={(kind) => kind && change({ kind: kind as StartKind })}
            w={{ base: "100%", xs: 190 }}
          />
          <StartField values={values} change={change} />
          <MultiSelect
            label="Partitions"
            data={numbers}
            value={values.partitions}
            onChange={(chosen) => change({ partitions: chosen })}
            placeholder={values.partitions.length === 0 ? `All ${partitions}` : ""}
            searchable
            clearable
            limit={100}
            flex={1}
            miw={160}
          />
          <Switch
            label="Live"
            checked={values.live || values.kind === "latest"}
            disabled={values.kind === "latest"}
            onChange={(event) => change({ live: event.currentTarget.checked })}
            pb={8}
          />
        </Group>
        <Group align="flex-end" gap="sm" wrap="wrap">
          <FilterField value={values.filter} onChange={(filter) => change({ filter })} />
          <Button type="submit" leftSection={<IconSearch size={16} />} disabled={asked === undefined}>
            {values.live || values.kind === "latest" ? "Follow" : "Search"}
          </Button>
        </Group>
        <AsCode
          request={{ method: "GET", path: pathOf(at.cluster, at.topic, asked ?? search) }}
          undeclared={undeclared}
        />
      </Stack>
    </Card>
  );
}

function StartField({ values, change }: { values: Values; change: (changed: Partial<Values>) => void }) {
  if (values.kind === "last") {
    return (
      <TextInput
        label="How many"
        inputMode="numeric"
        value={values.count}
        onChange={(event) => change({ count: event.currentTarget.value })}
        error={startText("last", values.count) ? undefined : "A number from 1 on"}
        w={110}
      />
    );
  }
  if (values.kind === "offset") {
    return (
      <TextInput
        label="Offset"
        inputMode="numeric"
        value={values.offset}
        onChange={(event) => change({ offset: event.currentTarget.value })}
        error={startText("offset", values.offset) ? undefined : "A number from 0 on"}
        w={150}
      />
    );
  }
  if (values.kind !== "time") return null;
  return (
    <TextInput
      label={`Time (${zone()})`}
      type="datetime-local"
      step={1}
      value={values.time}
      onChange={(event) => change({ time: event.currentTarget.value })}
      error={startText("time", values.time) ? undefined : "A moment"}
      w={{ base: "100%", xs: 220 }}
    />
  );
}
