import { Box, Checkbox, Table, Text, UnstyledButton } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useRef } from "react";
import { bytes, moment, offset as shownOffset } from "@/components/format";
import { idOf, type Message } from "./api";
import type { Decoder } from "./decoders";
import { fromBase64, toHex } from "./decoders/bytes";
import type { Decoders } from "./exporting";
import styles from "./messages.module.css";

const rowHeight = 40;
/** How much of a text is worth decoding for one line of a table. */
const previewed = 400;

interface Props {
  messages: readonly Message[];
  decoders: Decoders;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  onOpen: (message: Message) => void;
}

/** Messages that were found; only those in sight are drawn. */
export function MessageTable({ messages, decoders, selected, onSelect, onOpen }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: messages.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    initialRect: { width: 1_400, height: 800 },
  });
  const items = rows.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const behind = rows.getTotalSize() - (items.at(-1)?.end ?? 0);
  const all = messages.every((message) => selected.has(idOf(message)));
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect(next);
  };
  return (
    <Box ref={frame} className={styles.frame} tabIndex={0} role="region" aria-label="Messages that were found">
      <Table
        miw={{ base: 480, sm: 860 }}
        layout="fixed"
        stickyHeader
        highlightOnHover
        aria-rowcount={messages.length + 1}
      >
        <Table.Thead>
          <Table.Tr>
            <Table.Td w={44}>
              <Checkbox
                aria-label="Select all messages"
                checked={all}
                indeterminate={!all && selected.size > 0}
                onChange={() => onSelect(all ? new Set() : new Set(messages.map(idOf)))}
              />
            </Table.Td>
            <Heading width={100}>Partition</Heading>
            <Heading width={100}>Offset</Heading>
            <Heading width={215} wide>
              Time
            </Heading>
            <Heading width={140}>Key</Heading>
            <Heading>Value</Heading>
            <Heading width={90} wide>
              Size
            </Heading>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {before > 0 && <Table.Tr aria-hidden h={before} />}
          {items.map(({ index }) => {
            const message = messages[index];
            return (
              message && (
                <Row
                  key={idOf(message)}
                  message={message}
                  index={index + 2}
                  decoders={decoders}
                  selected={selected.has(idOf(message))}
                  onToggle={() => toggle(idOf(message))}
                  onOpen={() => onOpen(message)}
                />
              )
            );
          })}
          {behind > 0 && <Table.Tr aria-hidden h={behind} />}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

/** `wide`: there is no room for it on a phone. */
function Heading({ width, wide = false, children }: { width?: number; wide?: boolean; children: string }) {
  return (
    <Table.Th scope="col" {...(width ? { w: width } : {})} {...(wide ? { visibleFrom: "sm" } : {})}>
      {children}
    </Table.Th>
  );
}

/** One line of what bytes say. */
function preview(content: string | null | undefined, decode: Decoder): string | null {
  if (content === null || content === undefined) return null;
  const bytes = fromBase64(content);
  const { format, text } = decode(bytes);
  if (format === "hex") return `0x${toHex(bytes.subarray(0, 64))}`;
  return text.slice(0, previewed).replaceAll(/\s+/g, " ");
}

interface RowProps {
  message: Message;
  index: number;
  decoders: Decoders;
  selected: boolean;
  onToggle: () => void;
  onOpen: () => void;
}

const Row = memo(function Row({ message, index, decoders, selected, onToggle, onOpen }: RowProps) {
  const { partition, offset } = message;
  const key = preview(message.key, decoders.key);
  const value = preview(message.value, decoders.value);
  return (
    <Table.Tr aria-rowindex={index} h={rowHeight} className={styles.row} onClick={onOpen}>
      <Table.Td onClick={(event) => event.stopPropagation()}>
        <Checkbox
          aria-label={`Select offset ${offset} of partition ${partition}`}
          checked={selected}
          onChange={onToggle}
        />
      </Table.Td>
      <Table.Td className="mono">{partition}</Table.Td>
      <Table.Td>
        <UnstyledButton
          className="mono"
          fz="sm"
          aria-label={`Open offset ${offset} of partition ${partition}`}
          onClick={(event) => {
            event.stopPropagation();
            onOpen();
          }}
        >
          {shownOffset(offset)}
        </UnstyledButton>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Text size="sm">{moment(message.timestamp)}</Text>
      </Table.Td>
      <Table.Td className={`mono ${styles.cell}`}>{key ?? <Absent>none</Absent>}</Table.Td>
      <Table.Td className={`mono ${styles.cell}`}>{value ?? <Absent>tombstone</Absent>}</Table.Td>
      <Table.Td visibleFrom="sm">
        <Text size="sm">{bytes((message.key_bytes ?? 0) + (message.value_bytes ?? 0))}</Text>
      </Table.Td>
    </Table.Tr>
  );
});

function Absent({ children }: { children: string }) {
  return (
    <Text span size="sm" c="dimmed" fs="italic">
      {children}
    </Text>
  );
}
