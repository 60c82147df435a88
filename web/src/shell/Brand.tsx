import { Anchor, Group, Image, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";

export function Brand({ to }: { to: "/login" | "/clusters" }) {
  return (
    <Anchor component={Link} to={to} underline="never" c="inherit" aria-label="Firn">
      <Group gap="xs" wrap="nowrap">
        <Image src="/firn.svg" w={28} h={28} alt="" />
        <Text fw={700} size="lg">
          Firn
        </Text>
      </Group>
    </Anchor>
  );
}
