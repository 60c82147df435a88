import { Box, Checkbox, Table, Text } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import type { Acl, ServiceAccount } from "../api";
import { PrincipalName } from "../parts";
import styles from "./matrix.module.css";
import { Permission } from "./Permission";
import { patternText, sentence, spoken, typeLabel } from "./words";

interface Props {
  acls: readonly Acl[];
  accounts: readonly ServiceAccount[];
  selected: ReadonlySet<string>;
  onSelect: (selected: Set<string>) => void;
}

/** Every ACL by itself, to choose those that are to go. Only the rows in sight are drawn. */
export function AclList({ acls, accounts, selected, onSelect }: Props) {
  const frame = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: acls.length,
    getScrollElement: () => frame.current,
    estimateSize: () => 58,
    overscan: 12,
    initialRect: { width: 1_400, height: 800 },
  });
  const items = rows.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const behind = rows.getTotalSize() - (items[items.length - 1]?.end ?? 0);
  const all = acls.length > 0 && acls.every(({ id }) => selected.has(id));
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect(next);
  };
  return (
    <Box component="section" ref={frame} className={styles.list} tabIndex={0} aria-label="List of ACLs">
      <Table miw={760} stickyHeader aria-rowcount={acls.length + 1} verticalSpacing="xs" highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Td w={40}>
              <Checkbox
                aria-label="Select all that are shown"
                checked={all}
                indeterminate={!all && selected.size > 0}
                onChange={() => onSelect(all ? new Set() : new Set(acls.map(({ id }) => id)))}
              />
            </Table.Td>
            {["Effect", "Who", "Operation", "Resource", "From"].map((heading) => (
              <Table.Th key={heading} scope="col">
                {heading}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {before > 0 && <Table.Tr aria-hidden h={before} />}
          {items.map(({ index }) => {
            const acl = acls[index];
            return (
              acl && (
                <AclRow
                  key={acl.id}
                  acl={acl}
                  index={index + 2}
                  accounts={accounts}
                  selected={selected.has(acl.id)}
                  onToggle={() => toggle(acl.id)}
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

interface RowProps {
  acl: Acl;
  index: number;
  accounts: readonly ServiceAccount[];
  selected: boolean;
  onToggle: () => void;
}

function AclRow({ acl, index, accounts, selected, onToggle }: RowProps) {
  return (
    <Table.Tr aria-rowindex={index} h={58}>
      <Table.Td>
        <Checkbox aria-label={`Select: ${sentence(acl)}`} checked={selected} onChange={onToggle} />
      </Table.Td>
      <Table.Td>
        <Permission permission={acl.permission} />
      </Table.Td>
      <Table.Td>
        <PrincipalName principal={acl.principal} accounts={accounts} />
      </Table.Td>
      <Table.Td>{spoken(acl.operation)}</Table.Td>
      <Table.Td>
        <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
          {patternText(acl.resource_type, acl.pattern_type, acl.resource_name)}
        </Text>
        <Text size="xs" c="dimmed">
          {typeLabel(acl.resource_type)}
        </Text>
      </Table.Td>
      <Table.Td className="mono">{acl.host === "*" ? "anywhere" : acl.host}</Table.Td>
    </Table.Tr>
  );
}
