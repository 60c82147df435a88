import { Anchor, Card, SimpleGrid, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { topic } from "./prepare";
import { Step } from "./Step";

/** Where one goes from here. */
export function Next({ cluster }: { cluster: string }) {
  const inCluster = `/clusters/${cluster}`;
  const places = [
    { to: `${inCluster}/topics/${topic}`, name: "Look into the topic", why: "Every message, with search and filters." },
    { to: inCluster, name: "See how the cluster is", why: "Throughput, storage, connections, limits." },
    { to: `${inCluster}/access/acls`, name: "Say who may do what", why: "ACLs for each program of yours." },
    { to: "/organization/invitations", name: "Invite your colleagues", why: "Each with a role of their own." },
  ];
  return (
    <Step number={4} title="Where to go next" done={false}>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {places.map(({ to, name, why }) => (
          <Card key={to} withBorder padding="sm">
            <Anchor component={Link} to={to} fw={600}>
              {name}
            </Anchor>
            <Text size="sm" c="dimmed">
              {why}
            </Text>
          </Card>
        ))}
      </SimpleGrid>
    </Step>
  );
}
