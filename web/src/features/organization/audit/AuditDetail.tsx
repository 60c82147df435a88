import { Button, Code, Drawer, Group, Stack, Table, Text, Title } from "@mantine/core";
import { CodeBlock, CopyField } from "@/components/CopyField";
import { moment } from "@/components/format";
import { Listing } from "@/components/Listing";
import { type AuditEntry, Decision } from "./Decision";
import { type Change, difference } from "./difference";
import type { AuditSearch } from "./search";

interface Props {
  entry: AuditEntry | undefined;
  close: () => void;
  /** Shows only entries that have this in common with it. */
  only: (search: AuditSearch) => void;
}

/** One entry as a whole. */
export function AuditDetail({ entry, close, only }: Props) {
  return (
    <Drawer
      opened={entry !== undefined}
      onClose={close}
      position="right"
      size="lg"
      title={entry?.action ?? ""}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {entry && (
        <Stack>
          <Facts entry={entry} />
          <Changed detail={entry.detail} />
          <Group>
            <Only label="All of this principal" onClick={() => only({ principal: entry.principal })} close={close} />
            <Only label="All of this thing" onClick={() => only({ resource: entry.resource })} close={close} />
            {entry.request_id && (
              <Only label="All of this request" onClick={() => only({ request_id: entry.request_id })} close={close} />
            )}
          </Group>
          <Title order={3} size="h5">
            As JSON
          </Title>
          <CodeBlock label="the entry as JSON" code={JSON.stringify(entry, null, 2)} />
        </Stack>
      )}
    </Drawer>
  );
}

function Only({ label, onClick, close }: { label: string; onClick: () => void; close: () => void }) {
  const choose = () => {
    close();
    onClick();
  };
  return (
    <Button size="compact-sm" variant="default" onClick={choose}>
      {label}
    </Button>
  );
}

function Facts({ entry }: { entry: AuditEntry }) {
  const facts: [string, string | null | undefined][] = [
    ["Who", entry.principal],
    ["By", entry.credential],
    ["To what", `${entry.resource_kind} ${entry.resource}`],
    ["From", entry.address],
    ["Request", entry.request_id],
    ["Entry", entry.id],
    ["Position", entry.position?.toString()],
    ["Hash", entry.hash],
  ];
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Decision decision={entry.decision} />
        <Text size="sm">{moment(entry.at)}</Text>
      </Group>
      {facts.map(([name, value]) =>
        value ? (
          <Group key={name} gap="xs" wrap="nowrap">
            <Text size="sm" c="dimmed" w={72} style={{ flexShrink: 0 }}>
              {name}
            </Text>
            <div style={{ minWidth: 0 }}>
              <CopyField label={name.toLowerCase()} value={value} />
            </div>
          </Group>
        ) : null,
      )}
    </Stack>
  );
}

function Changed({ detail }: { detail: AuditEntry["detail"] }) {
  const { changes, rest } = difference(detail);
  return (
    <>
      {changes.length > 0 && (
        <Listing label="What changed" headings={["What", "Before", "After"]} width={320}>
          {changes.map((change) => (
            <Line key={change.path} change={change} />
          ))}
        </Listing>
      )}
      {Object.entries(rest).map(([name, value]) => (
        <Text key={name} size="sm" style={{ overflowWrap: "anywhere" }}>
          {name}: <Code>{JSON.stringify(value)}</Code>
        </Text>
      ))}
    </>
  );
}

function Line({ change }: { change: Change }) {
  const shown = (name: "before" | "after") =>
    name in change ? <Code style={{ overflowWrap: "anywhere" }}>{JSON.stringify(change[name])}</Code> : "nothing";
  return (
    <Table.Tr>
      <Table.Td style={{ overflowWrap: "anywhere" }}>{change.path}</Table.Td>
      <Table.Td>{shown("before")}</Table.Td>
      <Table.Td>{shown("after")}</Table.Td>
    </Table.Tr>
  );
}
