import { AppShell, Box, Burger, Group, Loader, ScrollArea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useParams, useRouter, useRouterState } from "@tanstack/react-router";
import { Suspense, useEffect } from "react";
import { Brand } from "./Brand";
import { Navigation } from "./Navigation";
import { NoOrganization } from "./NoOrganization";
import { OrganizationSwitch } from "./OrganizationSwitch";
import { Palette, PaletteButton } from "./Palette";
import { PersonMenu } from "./PersonMenu";
import { SchemeSwitch } from "./SchemeSwitch";
import { PersonProvider, sessionQuery } from "./session";

/** The pages behind the login, for as long as there is a session. */
export function AppLayout() {
  const { data: session } = useQuery(sessionQuery);
  if (session === null) return <ToLogin />;
  if (!session) return <Loader m="xl" aria-label="Loading" />;
  return (
    <PersonProvider value={session.person}>
      <Shell />
    </PersonProvider>
  );
}

/** The session has ended: to the login, and from there back to this page. */
function ToLogin() {
  const router = useRouter();
  useEffect(() => {
    const return_to = router.state.location.href;
    void router.navigate({ to: "/login", search: { return_to }, replace: true });
  }, [router]);
  return <Loader m="xl" aria-label="Loading" />;
}

/** Header, navigation and the page. */
function Shell() {
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
      <AppShell.Navbar aria-label="Navigation" className={open ? undefined : "shut-on-a-phone"}>
        <AppShell.Section p="xs" hiddenFrom="sm">
          <OrganizationSwitch />
        </AppShell.Section>
        <AppShell.Section grow component={ScrollArea} p="xs">
          <Navigation cluster={cluster} />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="page">
        <Suspense fallback={<Loader aria-label="Loading" />}>
          <NoOrganization path={path}>
            <Outlet />
          </NoOrganization>
        </Suspense>
      </AppShell.Main>
      <Palette cluster={cluster} />
    </AppShell>
  );
}
