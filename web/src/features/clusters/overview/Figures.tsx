import { Anchor, Paper, SimpleGrid, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { bytes, count } from "@/components/format";
import type { Overview } from "../api";

interface Figure {
  label: string;
  value: string;
  note?: string;
  to?: string;
}

function figures(overview: Overview, cluster: string): Figure[] {
  const { throughput, storage, health, brokers } = overview;
  const answering = brokers.filter((broker) => broker.answers).length;
  const states = { ok: "Healthy", unknown: "Unknown", degraded: "Degraded", down: "Down" } as const;
  return [
    {
      label: "Health",
      value: states[health.status],
      note: `${answering} of ${brokers.length} ${brokers.length === 1 ? "broker answers" : "brokers answer"}`,
    },
    { label: "Produced", value: `${bytes(Math.round(throughput.produced_bytes_per_second))}/s` },
    { label: "Fetched", value: `${bytes(Math.round(throughput.fetched_bytes_per_second))}/s` },
    { label: "Requests", value: `${count(throughput.requests_per_second)}/s` },
    { label: "Stored", value: bytes(storage.total_bytes) },
    { label: "Connections", value: count(overview.connections) },
    {
      label: "Topics",
      value: count(overview.topics),
      note: `${count(overview.partitions)} ${overview.partitions === 1 ? "partition" : "partitions"}`,
      to: `/clusters/${cluster}/topics`,
    },
    { label: "Groups", value: count(overview.groups), to: `/clusters/${cluster}/groups` },
  ];
}

/** The numbers that one looks for first. */
export function Figures({ overview, cluster }: { overview: Overview; cluster: string }) {
  return (
    <SimpleGrid cols={{ base: 2, sm: 4, lg: 8 }} spacing="sm">
      {figures(overview, cluster).map(({ label, value, note, to }) => (
        <Paper key={label} withBorder p="sm">
          <Text size="xs" c="dimmed" fw={600}>
            {to ? (
              <Anchor component={Link} to={to} inherit>
                {label}
              </Anchor>
            ) : (
              label
            )}
          </Text>
          <Text fw={650} fz="lg" style={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>
            {value}
          </Text>
          {note && (
            <Text size="xs" c="dimmed">
              {note}
            </Text>
          )}
        </Paper>
      ))}
    </SimpleGrid>
  );
}
