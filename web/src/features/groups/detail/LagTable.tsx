import { Button, Group, Select, Stack, Table, Text, Tooltip } from "@mantine/core";
import { IconAlertTriangle, IconHourglassEmpty } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Empty } from "@/components/Empty";
import { count, offset } from "@/components/format";
import { Listing } from "@/components/Listing";
import { done } from "@/components/notify";
import { deleteOffsets, type GroupLag, groupPath, type PartitionLag, undeclared } from "../api";
import { Lag } from "../parts";

/** How many rows are drawn at first, and how many more each time. */
const STEP = 200;

const headings = [
  { label: "Topic" },
  { label: "Partition", number: true },
  { label: "Committed", number: true },
  { label: "Log start", number: true },
  { label: "End", number: true },
  { label: "Lag in records", number: true },
  { label: "Member" },
];

/** How far the group has come, partition by partition. */
export function LagTable({ cluster, group, lag }: { cluster: string; group: string; lag: GroupLag }) {
  const [topic, setTopic] = useState<string | null>(null);
  const [drawn, setDrawn] = useState(STEP);
  const [forgetting, setForgetting] = useState(false);
  const queries = useQueryClient();
  if (lag.partitions.length === 0)
    return (
      <Empty icon={IconHourglassEmpty} title="Nothing is committed yet">
        <Text size="sm" c="dimmed">
          Offsets show here once a consumer commits them, which most do every five seconds.
        </Text>
      </Empty>
    );
  const topics = [...new Set(lag.partitions.map((partition) => partition.topic))];
  const wanted = lag.partitions.filter((partition) => topic === null || partition.topic === topic);
  const forget = async (topic: string) => {
    await deleteOffsets(cluster, group, topic);
    done(`The group's offsets in ${topic} are forgotten.`);
    await queries.invalidateQueries({ queryKey: ["groups", cluster, "lag", group] });
    setTopic(null);
  };
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Select
          aria-label="Topic"
          placeholder="All topics"
          searchable
          clearable
          clearButtonProps={{ "aria-label": "All topics" }}
          data={topics}
          value={topic}
          onChange={setTopic}
        />
        {topic !== null && (
          <Button variant="subtle" color="red" onClick={() => setForgetting(true)}>
            Forget offsets
          </Button>
        )}
      </Group>
      <Listing label="Partitions and their lag" headings={headings} width={820} height={560}>
        {wanted.slice(0, drawn).map((row) => (
          <Line key={`${row.topic} ${row.partition}`} row={row} />
        ))}
      </Listing>
      {wanted.length > drawn && (
        <Group justify="center">
          <Button variant="default" onClick={() => setDrawn(drawn + STEP)}>
            Show {count(Math.min(STEP, wanted.length - drawn))} more of {count(wanted.length - drawn)}
          </Button>
        </Group>
      )}
      {topic !== null && (
        <ConfirmTyped
          opened={forgetting}
          onClose={() => setForgetting(false)}
          title={`Forget offsets in ${topic}`}
          word={topic}
          action="Forget offsets"
          code={{
            request: {
              method: "DELETE",
              path: `${groupPath(cluster, group)}/offsets?topic=${encodeURIComponent(topic)}`,
            },
            undeclared,
          }}
          onConfirm={() => forget(topic)}
        >
          What the group has committed in this topic goes: its consumers begin there as if they had never been. Members
          that read it have to be stopped first. This cannot be taken back.
        </ConfirmTyped>
      )}
    </Stack>
  );
}

function Line({ row }: { row: PartitionLag }) {
  return (
    <Table.Tr>
      <Table.Td style={{ overflowWrap: "anywhere" }}>{row.topic}</Table.Td>
      <Table.Td ta="right" className="mono">
        {row.partition}
      </Table.Td>
      <Table.Td ta="right" className="mono">
        {row.metadata ? (
          <Tooltip label={row.metadata} multiline maw={360}>
            <span>{offset(row.committed)}</span>
          </Tooltip>
        ) : (
          offset(row.committed)
        )}
      </Table.Td>
      <Table.Td ta="right" className="mono">
        {offset(row.log_start)}
      </Table.Td>
      <Table.Td ta="right" className="mono">
        {offset(row.end)}
      </Table.Td>
      <Table.Td ta="right">
        {row.error ? (
          <Group gap={4} wrap="nowrap" justify="flex-end">
            <IconAlertTriangle size={14} />
            <Text size="xs">{row.error}</Text>
          </Group>
        ) : (
          <Lag records={row.lag_records} seconds={row.lag_seconds} />
        )}
      </Table.Td>
      <Table.Td className="mono" maw={220}>
        <Text size="xs" className="mono" truncate title={row.member_id ?? undefined}>
          {row.member_id ?? "–"}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}
