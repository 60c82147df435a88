import { AppShell, Box, Burger, Group, Loader, ScrollArea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useParams, useRouter, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { Brand } from "./Brand";
import { Navigation } from "./Navigation";
import { NoOrganization } from "./NoOrganization";
import { OrganizationSwitch } from "./OrganizationSwitch";
import { Palette, PaletteButton } from "./Palette";
import { PersonMenu } from "./PersonMenu";
import { SchemeSwitch } from "./SchemeSwitch";
import { type OpenedSession, PersonProvider, sessionQuery } from "./session";
import { useNoEscape, useTyped } from "./useTyped";

// Few ever see it, so it comes when it is needed.
const SessionEnded = lazy(() => import("./SessionEnded").then((loaded) => ({ default: loaded.SessionEnded })));

type Person = OpenedSession["person"];

/** The pages behind the login, for as long as there is a session. */
export function AppLayout() {
  const { data: session } = useQuery(sessionQuery);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const typed = useTyped(path);
  useNoEscape(session === null);
  // Who was logged in until the session ended.
  const [last, setLast] = useState(session?.person);
  const now = session?.person;
  const other = now !== undefined && last !== undefined && now.id !== last.id;
  if (now && now !== last && !other) setLast(now);
  useEffect(() => {
    // Another tab has logged in as somebody else: of what one has seen, another gets to see nothing.
    if (other) window.location.reload();
  }, [other]);
  if (session === null && !last) return <ToLogin />;
  if (!last || other) return <Loader m="xl" aria-label="Loading" />;
  return (
    <PersonProvider value={last}>
      <Shell />
      {session === null && <Ended person={last} typed={typed} />}
    </PersonProvider>
  );
}

/** The session has ended in the middle of a page: what is typed there is not lost. */
function Ended({ person, typed }: { person: Person; typed: () => boolean }) {
  const [stays, setStays] = useState(typed);
  if (!stays) return <ToLogin />;
  return (
    <Suspense>
      <SessionEnded person={person} onLeave={() => setStays(false)} />
    </Suspense>
  );
}

/** To the login, and from there back to this page. */
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
