import { Button, Group, Menu, Select } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDownload, IconRepeat, IconSchema } from "@tabler/icons-react";
import { count } from "@/components/format";
import type { At, Message } from "./api";
import { type Format, formatNames, formats } from "./decoders";
import { csv, type Decoders, jsonLines, save } from "./exporting";
import { SchemaModal } from "./SchemaModal";
import type { Reading } from "./useDecoders";

const choices = formats.map((value) => ({ value, label: formatNames[value] }));

interface Props {
  at: At;
  found: readonly Message[];
  /** Those that are selected. */
  chosen: readonly Message[];
  reading: Reading;
  onRead: (reading: Reading) => void;
  decoders: Decoders;
  onReplay: () => void;
}

/** How messages are read, and what is done with them. */
export function Toolbar({ at, found, chosen, reading, onRead, decoders, onReplay }: Props) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <Group gap="xs" align="flex-end">
      <FormatSelect label="Keys as" value={reading.key} onChange={(key) => onRead({ ...reading, key })} />
      <FormatSelect label="Values as" value={reading.value} onChange={(value) => onRead({ ...reading, value })} />
      <Button variant="default" leftSection={<IconSchema size={16} />} onClick={open}>
        Schemas
      </Button>
      <Export at={at} messages={chosen.length > 0 ? chosen : found} selected={chosen.length > 0} decoders={decoders} />
      <Button
        variant="default"
        leftSection={<IconRepeat size={16} />}
        disabled={chosen.length === 0}
        onClick={onReplay}
      >
        Replay{chosen.length > 0 ? ` ${count(chosen.length)}` : ""}
      </Button>
      {opened && (
        <SchemaModal schemas={reading.schemas} onClose={close} onKeep={(schemas) => onRead({ ...reading, schemas })} />
      )}
    </Group>
  );
}

interface FormatProps {
  label: string;
  value: Format;
  onChange: (format: Format) => void;
}

function FormatSelect({ label, value, onChange }: FormatProps) {
  return (
    <Select
      label={label}
      data={choices}
      value={value}
      allowDeselect={false}
      onChange={(format) => format && onChange(format as Format)}
      w={140}
    />
  );
}

interface ExportProps {
  at: At;
  messages: readonly Message[];
  selected: boolean;
  decoders: Decoders;
}

function Export({ at, messages, selected, decoders }: ExportProps) {
  const name = `${at.topic}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;
  const lines = (masked: boolean) =>
    save(`${name}.jsonl`, "application/jsonl", jsonLines(messages, { decoders, masked }));
  const table = (masked: boolean) => save(`${name}.csv`, "text/csv", csv(messages, { decoders, masked }));
  return (
    <Menu position="bottom-start" withinPortal>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} />} disabled={messages.length === 0}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {selected ? "The selected " : "All "}
          {count(messages.length)} that were found
        </Menu.Label>
        <Menu.Item onClick={() => lines(false)}>JSON lines</Menu.Item>
        <Menu.Item onClick={() => table(false)}>CSV</Menu.Item>
        <Menu.Divider />
        <Menu.Label>Keys, values and what headers hold are hidden</Menu.Label>
        <Menu.Item onClick={() => lines(true)}>JSON lines, masked</Menu.Item>
        <Menu.Item onClick={() => table(true)}>CSV, masked</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
