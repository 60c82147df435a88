import { ActionIcon, Group, Kbd, Text, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight, type SpotlightActionData, type SpotlightActionGroupData, spotlight } from "@mantine/spotlight";
import { IconListDetails, IconSearch, IconServer } from "@tabler/icons-react";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, got } from "@/api/client";
import {
  clusterCommands,
  clusterSections,
  inCluster,
  organizationCommands,
  organizationSections,
  type Place,
  personalPlaces,
} from "./navigation";
import { type Cluster, clustersQuery, projectsQuery, useWorkspace } from "./workspace";

/** Opens the palette: by a click, and everywhere by Ctrl-K or ⌘K. */
export function PaletteButton() {
  return (
    <>
      <UnstyledButton
        visibleFrom="sm"
        onClick={spotlight.open}
        px="sm"
        py={6}
        aria-label="Search and commands"
        bd="1px solid var(--mantine-color-default-border)"
        bdrs="md"
      >
        <Group gap="xs" wrap="nowrap">
          <IconSearch size={16} />
          <Text size="sm" c="dimmed">
            Search
          </Text>
          <Kbd size="xs">Ctrl K</Kbd>
        </Group>
      </UnstyledButton>
      <ActionIcon hiddenFrom="sm" variant="default" size="lg" onClick={spotlight.open} aria-label="Search and commands">
        <IconSearch size={18} />
      </ActionIcon>
    </>
  );
}

/** All places, the clusters of the organization and, in a cluster, its topics. */
export function Palette({ cluster }: { cluster: string | undefined }) {
  const [words, setWords] = useState("");
  const navigate = useNavigate();
  const go = (to: string) => () => void navigate({ href: to });
  const action = (place: Place, to: string): SpotlightActionData => ({
    id: to,
    label: place.label,
    keywords: place.keywords ?? [],
    leftSection: <place.icon size={18} />,
    onClick: go(to),
  });
  const groups: SpotlightActionGroupData[] = [];
  const topics = useTopics(cluster, words);
  if (cluster) {
    const actions = clusterSections.flatMap((section) =>
      section.places.map((place) => action(place, inCluster(place.to, cluster))),
    );
    groups.push({ group: "In this cluster", actions });
    const found = topics.map((name) => {
      const to = `/clusters/${cluster}/topics/${name}`;
      return { id: to, label: name, leftSection: <IconListDetails size={18} />, onClick: go(to) };
    });
    if (found.length > 0) groups.push({ group: "Topics", actions: found });
  }
  const commands = [
    ...(cluster ? clusterCommands.map((place) => action(place, inCluster(place.to, cluster))) : []),
    ...organizationCommands.map((place) => ({ ...action(place, place.to), id: `do ${place.to}` })),
  ];
  groups.push({ group: "Do", actions: commands });
  const clusters = useClusters(words).map(({ id, name, slug }) => {
    const to = `/clusters/${id}`;
    return {
      id: `cluster ${id}`,
      label: name,
      description: slug,
      leftSection: <IconServer size={18} />,
      onClick: go(to),
    };
  });
  if (clusters.length > 0) groups.push({ group: "Clusters", actions: clusters });
  const places = [...organizationSections.flatMap((section) => section.places), ...personalPlaces];
  groups.push({ group: "Places", actions: places.map((place) => action(place, place.to)) });
  return (
    <Spotlight
      actions={groups}
      query={words}
      onQueryChange={setWords}
      onSpotlightOpen={() => setWords("")}
      shortcut={["mod + K"]}
      tagsToIgnore={[]}
      highlightQuery
      scrollable
      maxHeight={480}
      limit={50}
      nothingFound="Nothing has that name."
      attributes={{ content: { "aria-label": "Search and commands" } }}
      scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "group", "aria-label": "Where one can go" } }}
      searchProps={{
        placeholder: "Where to? Places, clusters, topics",
        "aria-label": "Search",
        leftSection: <IconSearch size={18} />,
      }}
    />
  );
}

function useTopics(cluster: string | undefined, words: string): string[] {
  const [contains] = useDebouncedValue(words.trim(), 150);
  const { data } = useQuery({
    queryKey: ["palette-topics", cluster, contains],
    queryFn: async ({ signal }) => {
      const params = { path: { cluster: cluster ?? "" }, query: { contains, page_size: 8 } };
      return (await got(api.GET("/v1/clusters/{cluster}/topics", { params, signal }))).items.map((topic) => topic.name);
    },
    enabled: cluster !== undefined && contains.length > 0,
  });
  return data ?? [];
}

/** The clusters of the organization. They are asked for once somebody types, but those of the first project, which are there at once. */
function useClusters(words: string): Cluster[] {
  const { organization } = useWorkspace();
  const { data: projects = [] } = useQuery(projectsQuery(organization?.id));
  const typed = words.trim() !== "";
  const lists = useQueries({
    queries: projects.map(({ id }, at) => ({ ...clustersQuery(id), enabled: typed || at === 0 })),
  });
  return lists.flatMap(({ data }) => data ?? []);
}
