import { Group, Progress, Stack, Text } from "@mantine/core";
import { Card } from "@/components/Card";
import { bytes } from "@/components/format";
import type { Overview } from "../api";

/** What records take up, by where they are. What is in objects and still near a broker counts once. */
export function StorageCard({ storage }: { storage: Overview["storage"] }) {
  const { total_bytes: total, tiered_bytes: tiered, local_bytes: local } = storage;
  const log = Math.max(total - tiered, 0);
  const percent = (part: number) => (total > 0 ? (part / total) * 100 : 0);
  return (
    <Card title="Storage by tier">
      <Text fz={28} fw={650}>
        {bytes(total)}
      </Text>
      <Progress.Root size="xl" aria-hidden>
        <Progress.Section value={percent(tiered)} color="ice.7" />
        <Progress.Section value={percent(log)} color="orange.6" />
      </Progress.Root>
      <Stack gap={6}>
        <Tier color="ice.7" label="In objects" value={tiered} note="settled in the object store" />
        <Tier color="orange.6" label="In the write-ahead log only" value={log} note="durable, not settled yet" />
        <Tier label="Near brokers" value={local} note="read without the object store; part of it is in objects too" />
      </Stack>
    </Card>
  );
}

function Tier({ color, label, value, note }: { color?: string; label: string; value: number; note: string }) {
  return (
    <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Progress w={12} mt={6} size={10} value={color ? 100 : 0} {...(color ? { color } : {})} aria-hidden />
        <div>
          <Text size="sm">{label}</Text>
          <Text size="xs" c="dimmed">
            {note}
          </Text>
        </div>
      </Group>
      <Text size="sm" fw={600} style={{ whiteSpace: "nowrap" }}>
        {bytes(value)}
      </Text>
    </Group>
  );
}
