import { Button, Group, Select, SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type AuditSearch, readAudit } from "./search";

interface Props {
  search: AuditSearch;
  change: (search: AuditSearch) => void;
}

/** An RFC 3339 moment as the browser's own input has it, in the reader's time zone. */
function local(at: string | undefined): string {
  if (!at) return "";
  const time = new Date(at);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const fields = [
  { name: "principal", label: "Who", placeholder: "User:per_…" },
  { name: "action", label: "What", placeholder: "create_topic" },
  { name: "resource_kind", label: "Kind of thing", placeholder: "topic" },
  { name: "resource", label: "Which thing", placeholder: "An id or a name" },
  { name: "request_id", label: "Request", placeholder: "Its id" },
] as const;

/** Which entries are shown. What is chosen stands in the address, so that it can be sent to somebody. */
export function AuditFilters({ search, change }: Props) {
  const form = useForm({
    initialValues: {
      principal: search.principal ?? "",
      action: search.action ?? "",
      resource_kind: search.resource_kind ?? "",
      resource: search.resource ?? "",
      request_id: search.request_id ?? "",
      decision: search.decision ?? "",
      from: local(search.from),
      to: local(search.to),
    },
  });
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
        <TextInput label="From" type="datetime-local" {...form.getInputProps("from")} />
        <TextInput label="To" type="datetime-local" {...form.getInputProps("to")} />
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
