import { Button, Group, Select, SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect } from "react";
import { localTime, zone } from "@/components/format";
import { type AuditSearch, readAudit } from "./search";

interface Props {
  search: AuditSearch;
  change: (search: AuditSearch) => void;
}

const fields = [
  { name: "principal", label: "Who", placeholder: "User:per_…" },
  { name: "action", label: "What", placeholder: "create_topic" },
  { name: "resource_kind", label: "Kind of thing", placeholder: "topic" },
  { name: "resource", label: "Which thing", placeholder: "An id or a name" },
  { name: "request_id", label: "Request", placeholder: "Its id" },
] as const;

function valuesOf(search: AuditSearch) {
  return {
    principal: search.principal ?? "",
    action: search.action ?? "",
    resource_kind: search.resource_kind ?? "",
    resource: search.resource ?? "",
    request_id: search.request_id ?? "",
    decision: search.decision ?? "",
    from: localTime(search.from),
    to: localTime(search.to),
  };
}

/** Which entries are shown. What is chosen stands in the address, so that it can be sent to somebody. */
export function AuditFilters({ search, change }: Props) {
  const form = useForm({ initialValues: valuesOf(search) });
  const { setValues } = form;
  // What the address says applies, also when it changes from elsewhere; the form stays, and with it the focus.
  const told = JSON.stringify(search);
  useEffect(() => setValues(valuesOf(JSON.parse(told) as AuditSearch)), [told, setValues]);
  const submit = form.onSubmit((values) => change(readAudit({ ...(search.id ? { id: search.id } : {}), ...values })));
  return (
    <form onSubmit={submit} aria-label="Filters">
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
        {fields.map(({ name, label, placeholder }) => (
          <TextInput
            key={name}
            label={label}
            placeholder={placeholder}
            maxLength={300}
            autoComplete="off"
            spellCheck={false}
            {...form.getInputProps(name)}
          />
        ))}
        <Select
          label="Decision"
          allowDeselect={false}
          data={[
            { value: "", label: "Any" },
            { value: "allowed", label: "Allowed" },
            { value: "denied", label: "Denied" },
          ]}
          {...form.getInputProps("decision")}
        />
        <TextInput label={`From (${zone()})`} type="datetime-local" {...form.getInputProps("from")} />
        <TextInput label={`To (${zone()})`} type="datetime-local" {...form.getInputProps("to")} />
      </SimpleGrid>
      <Group mt="sm">
        <Button type="submit">Filter</Button>
        {Object.keys(search).length > 0 && (
          <Button variant="default" onClick={() => change({})}>
            Show all
          </Button>
        )}
      </Group>
    </form>
  );
}
