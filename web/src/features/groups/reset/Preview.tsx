import { Badge, Button, Group, Paper, Stack, Table, Text, Title, Tooltip } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { useState } from "react";
import type { Code } from "@/components/AsCode";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { count, offset } from "@/components/format";
import { Listing } from "@/components/Listing";
import type { ResetItem } from "../api";

interface Props {
  group: string;
  items: readonly ResetItem[];
  code: Code;
  onSet: () => Promise<unknown>;
}

/** How many rows are drawn. */
const MOST = 500;

const headings = [
  { label: "Topic" },
  { label: "Partition", number: true },
  { label: "Offset", number: true },
  { label: "Lag", number: true },
];

/** What a reset would do, partition by partition, and the button that does it. */
export function Preview({ group, items, code, onSet }: Props) {
  const [asking, setAsking] = useState(false);
  const sum = (of: (item: ResetItem) => number | null) => items.reduce((all, item) => all + (of(item) ?? 0), 0);
  const [before, after] = [sum((item) => item.lag_before ?? null), sum((item) => item.lag_after)];
  const changed = items.filter((item) => item.before !== item.after).length;
  return (
    <Paper withBorder p="md" component="section" aria-label="Preview">
      <Stack gap="sm">
        <Title order={2} size="h4">
          3. What that does
        </Title>
        <Text size="sm" role="status">
          {count(changed)} of {count(items.length)} {items.length === 1 ? "partition changes" : "partitions change"}.
          The lag goes from {count(before)} to {count(after)} records. Nothing is set yet.
        </Text>
        <Listing label="Preview by partition" headings={headings} width={320} height={420}>
          {items.slice(0, MOST).map((item) => (
            <Line key={`${item.topic} ${item.partition}`} item={item} />
          ))}
        </Listing>
        {items.length > MOST && <Text size="sm">And {count(items.length - MOST)} partitions more.</Text>}
        <Group>
          <Button disabled={changed === 0} onClick={() => setAsking(true)}>
            Set offsets
          </Button>
        </Group>
      </Stack>
      <ConfirmTyped
        opened={asking}
        onClose={() => setAsking(false)}
        title="Set offsets"
        word={group}
        action="Set offsets"
        code={code}
        onConfirm={onSet}
      >
        The group's consumers go on at these offsets: {count(after)} records lie before them. What was committed until
        now is lost.
      </ConfirmTyped>
    </Paper>
  );
}

function Line({ item }: { item: ResetItem }) {
  return (
    <Table.Tr>
      <Table.Td style={{ overflowWrap: "anywhere" }}>{item.topic}</Table.Td>
      <Table.Td ta="right" className="mono">
        {item.partition}
      </Table.Td>
      <Table.Td>
        <Group gap={6} justify="flex-end" wrap="nowrap">
          {item.clamped && (
            <Tooltip label="What was asked for lies outside of the partition">
              <Badge size="sm" variant="outline" color="yellow" tt="none" c="var(--mantine-color-text)">
                nearest
              </Badge>
            </Tooltip>
          )}
          <Change before={typeof item.before === "number" ? offset(item.before) : "none"} after={offset(item.after)} />
        </Group>
      </Table.Td>
      <Table.Td>
        <Group gap={6} justify="flex-end" wrap="nowrap">
          <Change before={count(item.lag_before)} after={count(item.lag_after)} />
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

function Change({ before, after }: { before: string; after: string }) {
  if (before === after)
    return (
      <Text size="sm" c="dimmed" className="mono">
        {after}
      </Text>
    );
  return (
    <>
      <Text size="sm" c="dimmed" className="mono">
        {before}
      </Text>
      <IconArrowRight size={14} aria-label="to" role="img" />
      <Text size="sm" fw={600} className="mono">
        {after}
      </Text>
    </>
  );
}
