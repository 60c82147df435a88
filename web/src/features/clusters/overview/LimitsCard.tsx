import { Anchor, Badge, Group, Progress, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Card } from "@/components/Card";
import type { LimitUse } from "../api";
import { amount, CLOSE, FULL, limitLabel, share } from "../limits";

/** What is close to a limit first, then all others. */
export function LimitsCard({ limits, cluster }: { limits: LimitUse[]; cluster: string }) {
  const sorted = [...limits].sort((a, b) => share(b) - share(a));
  const close = sorted.filter((limit) => share(limit) >= CLOSE).length;
  return (
    <Card
      title="Limits"
      aside={
        <Anchor component={Link} to={`/clusters/${cluster}/settings`} size="sm">
          Change limits
        </Anchor>
      }
    >
      <Text size="sm" c="dimmed">
        {close === 0 ? "Nothing is close to its limit." : `${close} of ${limits.length} are close to their limit.`}
      </Text>
      <Stack gap="sm">
        {sorted.map((limit) => (
          <Use key={limit.name} limit={limit} />
        ))}
      </Stack>
    </Card>
  );
}

function Use({ limit }: { limit: LimitUse }) {
  const used = share(limit);
  const label = limitLabel(limit.name);
  const color = used >= FULL ? "red" : used >= CLOSE ? "orange" : "ice";
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text size="sm">{label}</Text>
          {used >= CLOSE && (
            <Badge size="sm" variant="outline" color={color} tt="none" c="var(--mantine-color-text)">
              {used >= FULL ? "full" : "close"}
            </Badge>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {amount(limit.used, limit.unit)} of {amount(limit.limit, limit.unit)}
        </Text>
      </Group>
      <Progress value={used * 100} color={color} mt={4} aria-label={`${label}, used`} />
    </div>
  );
}
