import { Box, NavLink, Text } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useRouterState } from "@tanstack/react-router";
import { clusterSections, inCluster, organizationSections, type Place, type Section } from "./navigation";
import { clusterQuery } from "./workspace";

/** The router would light a place for every page below it; `here` knows better. */
const exactly = { exact: true };

/** The places of the organization or, inside of a cluster, of that. */
export function Navigation({ cluster }: { cluster: string | undefined }) {
  return cluster ? (
    <ClusterNavigation cluster={cluster} />
  ) : (
    <Sections sections={organizationSections} of={(to) => to} />
  );
}

function ClusterNavigation({ cluster }: { cluster: string }) {
  const { data } = useQuery(clusterQuery(cluster));
  return (
    <>
      <NavLink
        component={Link}
        to="/clusters"
        activeOptions={exactly}
        label="All clusters"
        leftSection={<IconArrowLeft size={16} />}
      />
      <Text fw={650} px="sm" py={6} truncate title={data?.name}>
        {data?.name ?? "…"}
      </Text>
      <Sections sections={clusterSections} of={(to) => inCluster(to, cluster)} />
    </>
  );
}

function Sections({ sections, of }: { sections: Section[]; of: (to: string) => string }) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const places = sections.flatMap((section) => section.places.map((place) => of(place.to)));
  // The longest place that the path lies in: so that an overview is not lit in all of its cluster.
  const inside = places.filter((to) => path === to || path.startsWith(`${to}/`));
  const here = inside.sort((a, b) => b.length - a.length)[0];
  return sections.map((section) => (
    <Box key={section.title} component="section" aria-label={section.title} mb="sm">
      <Text size="xs" c="dimmed" fw={600} px="sm" py={4}>
        {section.title}
      </Text>
      {section.places.map((place) => (
        <PlaceLink key={place.to} place={place} to={of(place.to)} active={of(place.to) === here} />
      ))}
    </Box>
  ));
}

function PlaceLink({ place, to, active }: { place: Place; to: string; active: boolean }) {
  return (
    <NavLink
      component={Link}
      to={to}
      activeOptions={exactly}
      label={place.label}
      active={active}
      aria-current={active ? "page" : undefined}
      leftSection={<place.icon size={18} stroke={1.6} />}
      py={6}
      style={{ borderRadius: "var(--mantine-radius-sm)" }}
    />
  );
}
