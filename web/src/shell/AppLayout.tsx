import { AppShell, Box, Burger, Group, Loader, ScrollArea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Outlet, useParams, useRouterState } from "@tanstack/react-router";
import { Suspense, useEffect } from "react";
import { Brand } from "./Brand";
import { Navigation } from "./Navigation";
import { OrganizationSwitch } from "./OrganizationSwitch";
import { Palette, PaletteButton } from "./Palette";
import { PersonMenu } from "./PersonMenu";
import { SchemeSwitch } from "./SchemeSwitch";

/** Header, navigation and the page. */
export function AppLayout() {
  const [open, { toggle, close }] = useDisclosure();
  const { cluster } = useParams({ strict: false });
  const path = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of page closes the phone's menu
  useEffect(close, [path]);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 240, breakpoint: "sm", collapsed: { mobile: !open } }}
      padding={{ base: "sm", sm: "lg" }}
    >
      <a href="#page" className="skip-link">
        Skip to the page
      </a>
      <AppShell.Header px={{ base: "xs", sm: "md" }}>
        <Group h="100%" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={open}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label="Navigation"
              aria-expanded={open}
            />
            <Brand to="/clusters" />
            <Box visibleFrom="sm">
              <OrganizationSwitch />
            </Box>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <PaletteButton />
            <SchemeSwitch />
            <PersonMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar aria-label="Navigation">
        <AppShell.Section p="xs" hiddenFrom="sm">
          <OrganizationSwitch />
        </AppShell.Section>
        <AppShell.Section grow component={ScrollArea} p="xs">
          <Navigation cluster={cluster} />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="page">
        <Suspense fallback={<Loader aria-label="Loading" />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
      <Palette cluster={cluster} />
    </AppShell>
  );
}
