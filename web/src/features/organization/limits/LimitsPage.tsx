import { Badge, Group, Paper, Progress, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { bytes, count, duration } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import type { Organization } from "@/shell/workspace";
import { organizationLimitsQuery, requestLimitsQuery } from "../api";
import { OfOrganization } from "../OfOrganization";

export function LimitsPage() {
  return (
    <Page
      title="Limits"
      lead="How much there is and may be in the organization, and how often the API may be asked. Limits of one cluster are on its overview."
    >
      <OfOrganization>{(organization) => <OfAll organization={organization} />}</OfOrganization>
      <OfRequests />
    </Page>
  );
}

interface Limit {
  name: string;
  used: number;
  limit: number;
  unit: string;
}

function OfAll({ organization }: { organization: Organization }) {
  const limits = useQuery(organizationLimitsQuery(organization.id));
  return (
    <Loaded query={limits}>
      {(all) => (
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {all.map((limit) => (
            <Used key={limit.name} limit={limit} />
          ))}
        </SimpleGrid>
      )}
    </Loaded>
  );
}

/** `cluster_storage_bytes` as `Storage of all clusters`. */
function title(name: string): string {
  const words = name
    .replace(/^cluster_/, "")
    .replace(/_bytes(_per_second)?$/, "")
    .replaceAll("_", " ");
  const text = name.startsWith("cluster_") ? `${words}, all clusters together` : words;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function amount(value: number, unit: string): string {
  if (unit === "bytes") return bytes(value);
  if (unit === "bytes_per_second") return `${bytes(value)}/s`;
  return count(value);
}

function Used({ limit: { name, used, limit, unit } }: { limit: Limit }) {
  const share = limit > 0 ? (used / limit) * 100 : 0;
  const close = share >= 80;
  return (
    <Paper withBorder p="md">
      <Group justify="space-between" mb={4} wrap="nowrap">
        <Text fw={600}>{title(name)}</Text>
        {close && (
          <Badge color={share >= 100 ? "red" : "orange"} variant="light" tt="none">
            {share >= 100 ? "Full" : "Almost full"}
          </Badge>
        )}
      </Group>
      <Text size="sm" c="dimmed" mb="xs">
        {amount(used, unit)} of {amount(limit, unit)}
      </Text>
      <Progress value={Math.min(share, 100)} color={close ? "orange" : ""} aria-label={`${title(name)}: used`} />
    </Paper>
  );
}

function OfRequests() {
  const limits = useQuery(requestLimitsQuery);
  return (
    <Stack component="section" aria-label="The REST API" gap="xs">
      <Title order={2} size="h4">
        The REST API
      </Title>
      <Loaded query={limits} lines={2}>
        {({ requests_per_principal, requests_per_address, window_seconds, body_bytes }) => (
          <Text>
            {count(requests_per_principal)} requests in {duration(window_seconds)} for each person and service account,{" "}
            {count(requests_per_address)} without a credential for each address; bodies of up to {bytes(body_bytes)}.
            Answers tell what is left of it in <code>RateLimit-Remaining</code>.
          </Text>
        )}
      </Loaded>
    </Stack>
  );
}
