import { Table, Text } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { Empty } from "@/components/Empty";
import { count } from "@/components/format";
import { Listing } from "@/components/Listing";
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
  const headings = [
    heads[group] || "Organization",
    ...columns.map((column) => ({
      label: column === "cost" ? `${meters.cost.label} (${currency})` : meters[column].label,
      number: true,
    })),
    { label: "Most connections", number: true },
  ];
  return (
    <Listing label="Usage in this time" headings={headings} width={860}>
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
    </Listing>
  );
}
