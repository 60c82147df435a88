import { Box, Center, Group, Paper, Stack } from "@mantine/core";
import { Outlet } from "@tanstack/react-router";
import { Brand } from "./Brand";
import { SchemeSwitch } from "./SchemeSwitch";

/** One card in the middle: signup, login and what mails lead to. */
export function PublicLayout() {
  return (
    <Box mih="100dvh">
      <Group component="header" justify="space-between" p="md">
        <Brand to="/login" />
        <SchemeSwitch />
      </Group>
      <Center component="main" px="md" pb="xl">
        <Stack w="100%" maw={440}>
          <Paper withBorder shadow="sm" p={{ base: "md", sm: "xl" }} radius="lg">
            <Outlet />
          </Paper>
        </Stack>
      </Center>
    </Box>
  );
}
