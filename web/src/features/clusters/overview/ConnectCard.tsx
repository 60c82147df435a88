import { Anchor, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { authorityQuery } from "@/api/authority";
import { Card } from "@/components/Card";
import { CodeBlock, CopyField } from "@/components/CopyField";
import type { Cluster } from "../api";

/** What a client is set to, in librdkafka's words. Names of variables stand for the password. */
function settings(cluster: Cluster, authority: boolean): string {
  const lines = [
    `bootstrap.servers=${cluster.bootstrap}`,
    "security.protocol=SASL_SSL",
    "sasl.mechanisms=SCRAM-SHA-512",
    "sasl.username=$FIRN_USERNAME",
    "sasl.password=$FIRN_PASSWORD",
  ];
  return (authority ? [...lines, "ssl.ca.location=firn-ca.pem"] : lines).join("\n");
}

/** How a client connects. */
export function ConnectCard({ cluster }: { cluster: Cluster }) {
  const { data: authority } = useQuery(authorityQuery);
  return (
    <Card
      title="Connect a client"
      aside={
        <Anchor component={Link} to="/start" size="sm">
          Snippets for your language
        </Anchor>
      }
    >
      <Stack gap="xs">
        <div>
          <Text size="sm" fw={600}>
            Bootstrap servers
          </Text>
          <CopyField value={cluster.bootstrap} label="bootstrap servers" />
        </div>
        {authority && (
          <Text size="sm">
            Brokers show certificates of this authority:{" "}
            <Anchor href="/v1/certificate-authority" download="firn-ca.pem" inherit underline="always">
              firn-ca.pem
            </Anchor>
          </Text>
        )}
        <CodeBlock label="client settings" code={settings(cluster, Boolean(authority))} />
        <Text size="sm" c="dimmed">
          User names and passwords are made under{" "}
          <Anchor component={Link} to={`/clusters/${cluster.id}/access/scram`} inherit underline="always">
            SCRAM credentials
          </Anchor>
          .
        </Text>
      </Stack>
    </Card>
  );
}
