import { Box, Stack, Text, UnstyledButton } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useMemo, useRef } from "react";
import { type Acl, accountName, type ServiceAccount } from "../api";
import { PrincipalName } from "../parts";
import styles from "./matrix.module.css";
import { Permission } from "./Permission";
import { type AclTable, cellKey, type Resource, tableOf } from "./table";
import { patternText, spoken, typeLabel } from "./words";

interface Props {
  acls: readonly Acl[];
  accounts: readonly ServiceAccount[];
  /** Somebody wants to see what a cell is made of. */
  onOpen: (acls: Acl[]) => void;
}

/** From where to where something is drawn, and how much room is before and behind. */
interface Drawn {
  from: number;
  to: number;
  before: number;
  behind: number;
  total: number;
}

function useDrawn(count: number, frame: RefObject<HTMLElement | null>, horizontal: boolean, size: number): Drawn {
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => frame.current,
    estimateSize: () => size,
    overscan: horizontal ? 3 : 8,
    horizontal,
    initialRect: { width: 1_400, height: 800 },
  });
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0], items[items.length - 1]];
  if (!first || !last) return { from: 0, to: 0, before: 0, behind: 0, total: 0 };
  const total = virtual.getTotalSize();
  return { from: first.index, to: last.index + 1, before: first.start, behind: total - last.end, total };
}

/** Who may do what, as a matrix. Only what is in sight is drawn, in both directions. */
export function AclMatrix({ acls, accounts, onOpen }: Props) {
  const frame = useRef<HTMLElement>(null);
  const table = useMemo(
    () => tableOf(acls, (principal) => accountName(principal, accounts) ?? principal),
    [acls, accounts],
  );
  const rows = useDrawn(table.resources.length, frame, false, 58);
  const columns = useDrawn(table.principals.length, frame, true, 190);
  const principals = table.principals.slice(columns.from, columns.to);
  return (
    <Box component="section" ref={frame} className={styles.frame} tabIndex={0} aria-label="Matrix of ACLs">
      <table
        className={styles.matrix}
        style={{ width: `calc(${columns.total}px + var(--resource))` }}
        aria-rowcount={table.resources.length + 1}
        aria-colcount={table.principals.length + 1}
      >
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" className={styles.resource} aria-colindex={1}>
              <Text size="sm" fw={600}>
                Resource
              </Text>
            </th>
            <Room width={columns.before} />
            {principals.map((principal, at) => (
              <th key={principal} scope="col" className={styles.principal} aria-colindex={columns.from + at + 2}>
                <PrincipalName principal={principal} accounts={accounts} />
              </th>
            ))}
            <Room width={columns.behind} />
          </tr>
        </thead>
        <tbody>
          <RoomRow height={rows.before} />
          {table.resources.slice(rows.from, rows.to).map((resource, at) => (
            <MatrixRow
              key={resource.key}
              index={rows.from + at + 2}
              resource={resource}
              table={table}
              columns={columns}
              accounts={accounts}
              onOpen={onOpen}
            />
          ))}
          <RoomRow height={rows.behind} />
        </tbody>
      </table>
    </Box>
  );
}

/** The room of columns that are not drawn. */
function Room({ width }: { width: number }) {
  return width > 0 ? <td className={styles.room} style={{ width }} aria-hidden /> : null;
}

function RoomRow({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden>
      <td className={styles.room} style={{ height }} />
    </tr>
  );
}

interface RowProps {
  index: number;
  resource: Resource;
  table: AclTable;
  columns: Drawn;
  accounts: readonly ServiceAccount[];
  onOpen: (acls: Acl[]) => void;
}

function MatrixRow({ index, resource, table, columns, accounts, onOpen }: RowProps) {
  const { resource_type, pattern_type, resource_name } = resource;
  const pattern = patternText(resource_type, pattern_type, resource_name);
  return (
    <tr aria-rowindex={index}>
      <th scope="row" className={styles.resource} aria-colindex={1}>
        <Stack gap={0}>
          <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
            {pattern}
          </Text>
          <Text size="xs" c="dimmed">
            {typeLabel(resource_type)}
            {pattern_type === "prefixed" && ", prefix"}
          </Text>
        </Stack>
      </th>
      <Room width={columns.before} />
      {table.principals.slice(columns.from, columns.to).map((principal, at) => (
        <td key={principal} className={styles.principal} aria-colindex={columns.from + at + 2}>
          <Cell
            acls={table.cells.get(cellKey(resource.key, principal))}
            label={`${accountName(principal, accounts) ?? principal} on ${pattern}`}
            onOpen={onOpen}
          />
        </td>
      ))}
      <Room width={columns.behind} />
    </tr>
  );
}

interface CellProps {
  acls: Acl[] | undefined;
  label: string;
  onOpen: (acls: Acl[]) => void;
}

function Cell({ acls, label, onOpen }: CellProps) {
  if (!acls) return null;
  // What denies stands first: it wins.
  const shown = acls.toSorted((a, b) => b.permission.localeCompare(a.permission));
  const said = shown.map(({ permission, operation }) => `${permission} ${spoken(operation)}`).join(", ");
  return (
    <UnstyledButton className={styles.cell} onClick={() => onOpen(shown)} aria-label={`${label}: ${said}`}>
      {shown.map((acl) => (
        <Permission key={acl.id} permission={acl.permission} operation={acl.operation} host={acl.host} />
      ))}
    </UnstyledButton>
  );
}
