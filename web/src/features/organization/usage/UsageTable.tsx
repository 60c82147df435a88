import { Table, Text } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { Empty } from "@/components/Empty";
import { count } from "@/components/format";
import type { Group, MeterName } from "./span";
import { meters, type Total } from "./sums";

interface Props {
  totals: Total[];
  name: (key: string) => string;
  group: Group;
  currency: string;
}

const columns = Object.keys(meters) as MeterName[];
const heads: Record<Group, string> = { none: "", cluster: "Cluster", project: "Project", principal: "Principal" };

/** What the chosen time comes to. */
export function UsageTable({ totals, name, group, currency }: Props) {
  if (totals.length === 0) {
    return (
      <Empty icon={IconChartBar} title="Nothing was used in this time">
        <Text c="dimmed">Usage is there a minute or two after a client has produced or fetched.</Text>
      </Empty>
    );
  }
  return (
    <Table.ScrollContainer minWidth={860} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table aria-label="Usage in this time" verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{heads[group] || "Organization"}</Table.Th>
            {columns.map((column) => (
              <Table.Th key={column} ta="right">
                {column === "cost" ? `${meters.cost.label} (${currency})` : meters[column].label}
              </Table.Th>
            ))}
            <Table.Th ta="right">Most connections</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {totals.map((total) => (
            <Table.Tr key={total.key}>
              <Table.Td miw={140} style={{ overflowWrap: "anywhere" }}>
                {group === "none" ? "All of it" : name(total.key)}
              </Table.Td>
              {columns.map((column) => (
                <Table.Td key={column} ta="right">
                  {meters[column].shown(total.values[column])}
                </Table.Td>
              ))}
              <Table.Td ta="right">{count(total.connections_peak)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
