import { Anchor, Container, Group, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { Brand } from "./Brand";
import { SchemeSwitch } from "./SchemeSwitch";

export function NotFound() {
  useEffect(() => {
    document.title = "There is nothing here · Firn";
  }, []);
  return (
    <>
      <Group component="header" justify="space-between" p="md">
        <Brand to="/clusters" />
        <SchemeSwitch />
      </Group>
      <Container component="main" size="sm" py="xl">
        <Title order={1} size="h2">
          There is nothing here
        </Title>
        <Text my="md">The address is wrong, or what it showed is gone, or it is not yours to see.</Text>
        <Anchor component={Link} to="/clusters">
          To your clusters
        </Anchor>
      </Container>
    </>
  );
}
