import { Anchor, Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Card } from "@/components/Card";
import { moment } from "@/components/format";
import type { Expiring } from "../api";

const kinds: Record<Expiring["kind"], { label: string; page: (cluster: string) => string }> = {
  ca_certificate: { label: "CA certificate", page: (cluster) => `/clusters/${cluster}/access/ca-pools` },
  api_key: { label: "API key", page: () => "/service-accounts" },
  scram_credential: { label: "SCRAM credential", page: (cluster) => `/clusters/${cluster}/access/scram` },
};

/** What ends within 30 days; nothing where nothing does. */
export function ExpiringCard({ expiring, cluster }: { expiring: Expiring[]; cluster: string }) {
  if (expiring.length === 0) return null;
  return (
    <Card title="Ends soon">
      <Stack gap="xs">
        {expiring.map(({ kind, id, name, at }) => (
          <Group key={`${id} ${at}`} justify="space-between" gap="xs" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Anchor component={Link} to={kinds[kind].page(cluster)} size="sm">
                {kinds[kind].label}
              </Anchor>
              <Text size="xs" c="dimmed" truncate>
                {name}
              </Text>
            </div>
            <Text size="sm" style={{ whiteSpace: "nowrap" }}>
              {new Date(at).getTime() < Date.now() ? "ended " : ""}
              {moment(at)}
            </Text>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}
