import { Button, Center, Group, Progress, Stack, Table, Text, Tooltip } from "@mantine/core";
import { usePages } from "@/api/pages";
import { bytes, count, offset } from "@/components/format";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { type Partition, partitionsPage, type Topic } from "../api";

const headings = [
  "Partition",
  "Leader",
  { label: "Start", number: true },
  { label: "End", number: true },
  { label: "Records", number: true },
  { label: "Size", number: true },
  "In object storage",
];

/** The partitions of a topic: who leads them, from where to where they reach, and in which tier their records are. */
export function PartitionsTab({ cluster, topic }: { cluster: string; topic: Topic }) {
  const pages = usePages<Partition>({
    key: ["topic", cluster, topic.name, "partitions"],
    page: partitionsPage(cluster, topic.name),
    refetchInterval: 10_000,
  });
  const { items, hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  return (
    <Loaded query={pages}>
      {() => (
        <Stack>
          <Listing label="Partitions" headings={headings} width={760}>
            {items.map((partition) => (
              <Row key={partition.partition} partition={partition} />
            ))}
          </Listing>
          {hasNextPage && (
            <Center>
              <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                Show more of {count(topic.partitions)}
              </Button>
            </Center>
          )}
        </Stack>
      )}
    </Loaded>
  );
}

function Row({ partition: each }: { partition: Partition }) {
  const { log_start: start, high_watermark: end } = each;
  return (
    <Table.Tr>
      <Table.Th scope="row">{each.partition}</Table.Th>
      <Table.Td>
        <Tooltip label={`Leadership has changed hands ${count(each.leader_epoch)} times`}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: its tooltip is read by keys too */}
          <span tabIndex={0}>
            {each.leader === null || each.leader === undefined ? "none now" : `Broker ${each.leader}`}
          </span>
        </Tooltip>
      </Table.Td>
      <Figure>{offset(start)}</Figure>
      <Figure>{offset(end)}</Figure>
      <Figure>{typeof start === "number" && typeof end === "number" ? count(end - start) : "–"}</Figure>
      <Figure>{bytes(each.size_bytes)}</Figure>
      <Table.Td miw={170}>
        <Tier partition={each} />
      </Table.Td>
    </Table.Tr>
  );
}

function Figure({ children }: { children: string }) {
  return (
    <Table.Td ta="right" style={{ fontVariantNumeric: "tabular-nums" }}>
      {children}
    </Table.Td>
  );
}

/** How many of a partition's records are in objects already, and how many only near the broker. */
export function share({ log_start, high_watermark, tiered_end }: Partition): number | undefined {
  if (typeof log_start !== "number" || typeof high_watermark !== "number" || high_watermark <= log_start)
    return undefined;
  const settled = Math.min(tiered_end ?? log_start, high_watermark) - log_start;
  return Math.max(0, Math.min(1, settled / (high_watermark - log_start)));
}

function Tier({ partition }: { partition: Partition }) {
  const settled = share(partition);
  if (settled === undefined)
    return (
      <Text size="sm" c="dimmed">
        no records
      </Text>
    );
  const percent = Math.floor(settled * 100);
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress value={percent} w={90} aria-label={`${percent} % of its records are in objects`} />
      <Text size="sm">{percent} %</Text>
    </Group>
  );
}
