import { Anchor, Button, Group, Select, Stack, Table, Text, TextInput } from "@mantine/core";
import { IconPlus, IconSearch, IconServer } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { CopyField } from "@/components/CopyField";
import { Empty } from "@/components/Empty";
import { count, moment } from "@/components/format";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { type Project, projectsQuery, useWorkspace } from "@/shell/workspace";
import { type Cluster, clustersOfQuery } from "./api";
import { StateBadge } from "./StateBadge";

const headings = [
  "Name",
  "State",
  "Project",
  { label: "Topics", number: true },
  { label: "Partitions", number: true },
  "Bootstrap servers",
  "Made",
];

/** All clusters of the organization. */
export function ClustersPage() {
  const { organization } = useWorkspace();
  const clusters = useQuery(clustersOfQuery(organization?.id));
  const { data: projects = [] } = useQuery(projectsQuery(organization?.id));
  return (
    <Page
      title="Clusters"
      lead="Each is a Kafka of its own, with its own topics, groups, users and limits."
      actions={
        <Button component={Link} to="/clusters/create" leftSection={<IconPlus size={16} />}>
          Create cluster
        </Button>
      }
    >
      <Loaded query={clusters}>
        {(clusters) =>
          clusters.length === 0 ? (
            <Empty icon={IconServer} title="No cluster yet">
              <Text c="dimmed" size="sm">
                The guided start makes one, with a password and a snippet for your language. It takes five minutes.
              </Text>
              <Group justify="center">
                <Button component={Link} to="/start">
                  Start guided
                </Button>
                <Button component={Link} to="/clusters/create" variant="default">
                  Create cluster
                </Button>
              </Group>
            </Empty>
          ) : (
            <List clusters={clusters} projects={projects} />
          )
        }
      </Loaded>
    </Page>
  );
}

function List({ clusters, projects }: { clusters: Cluster[]; projects: Project[] }) {
  const [text, setText] = useState("");
  const { project } = useSearch({ strict: false });
  const navigate = useNavigate();
  const names = new Map(projects.map(({ id, name }) => [id, name]));
  const wanted = text.trim().toLowerCase();
  const shown = clusters.filter(
    (cluster) =>
      (!project || cluster.project === project) &&
      [cluster.name, cluster.slug, cluster.id].some((name) => name.toLowerCase().includes(wanted)),
  );
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <TextInput
          aria-label="Find clusters"
          placeholder="Name, slug or id"
          leftSection={<IconSearch size={16} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Select
          aria-label="Project"
          placeholder="All projects"
          clearable
          clearButtonProps={{ "aria-label": "All projects" }}
          data={projects.map(({ id, name }) => ({ value: id, label: name }))}
          value={project ?? null}
          onChange={(id) => void navigate({ to: "/clusters", search: id ? { project: id } : {}, replace: true })}
        />
      </Group>
      <Listing label="Table of clusters" headings={headings} width={760}>
        {shown.map((cluster) => (
          <Row key={cluster.id} cluster={cluster} project={names.get(cluster.project)} />
        ))}
      </Listing>
      {shown.length === 0 && <Text c="dimmed">No cluster is called that. Change what you look for.</Text>}
    </Stack>
  );
}

function Row({ cluster, project }: { cluster: Cluster; project: string | undefined }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} to={`/clusters/${cluster.id}`} fw={600}>
          {cluster.name}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <StateBadge state={cluster.state} />
      </Table.Td>
      <Table.Td>{project ?? "–"}</Table.Td>
      <Table.Td ta="right">{count(cluster.usage.topics)}</Table.Td>
      <Table.Td ta="right">{count(cluster.usage.partitions)}</Table.Td>
      <Table.Td>
        <CopyField value={cluster.bootstrap} label={`bootstrap servers of ${cluster.name}`} />
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>{moment(cluster.created_at)}</Table.Td>
    </Table.Tr>
  );
}
