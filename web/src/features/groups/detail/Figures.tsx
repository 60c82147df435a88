import { Alert, Paper, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { count, duration } from "@/components/format";
import type { GroupDetail, GroupLag } from "../api";

/** A group in a few numbers. */
export function Figures({ detail, lag }: { detail: GroupDetail; lag: GroupLag }) {
  const topics = new Set(lag.partitions.map((partition) => partition.topic));
  const seconds = lag.lag_seconds ?? undefined;
  const age = seconds === undefined ? "not known" : duration(Math.round(seconds));
  const coordinator = detail.coordinator ?? undefined;
  return (
    <Stack gap="sm">
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm">
        <Figure label="Lag" value={`${count(lag.lag_records)} ${lag.lag_records === 1 ? "record" : "records"}`} />
        <Figure label="Oldest unread record" value={lag.lag_records === 0 ? "none" : age} />
        <Figure label="Members" value={count(detail.members.length)} />
        <Figure label="Topics" value={count(topics.size)} />
        <Figure label="Assignor" value={detail.protocol ?? "–"} />
        <Figure label="Coordinator" value={coordinator === undefined ? "–" : `broker ${coordinator}`} />
      </SimpleGrid>
      {!lag.complete && (
        <Alert color="yellow" icon={<IconAlertTriangle size={18} />} title="This is not all of the lag" role="status">
          Some leaders do not answer now, or there are too many partitions. What is known is shown.
        </Alert>
      )}
    </Stack>
  );
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <Paper withBorder p="sm">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text fw={650} size="lg" style={{ overflowWrap: "anywhere" }}>
        {value}
      </Text>
    </Paper>
  );
}
