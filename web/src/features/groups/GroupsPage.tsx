import { Alert, Anchor, Button, Group as Row, Select, Stack, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconAlertTriangle, IconSearch, IconUsersGroup } from "@tabler/icons-react";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { count } from "@/components/format";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { type Group, type GroupFilter, states, useGroups } from "./api";
import { Lag } from "./parts";
import { StateBadge } from "./StateBadge";

/** All consumer groups of a cluster. */
export function GroupsPage() {
  const { cluster } = useParams({ from: "/app/clusters/$cluster/groups" });
  const filter = useSearch({ from: "/app/clusters/$cluster/groups" });
  const navigate = useNavigate();
  const groups = useGroups(cluster, filter);
  const narrow = (search: GroupFilter) =>
    void navigate({ to: "/clusters/$cluster/groups", params: { cluster }, search, replace: true });
  return (
    <Page
      title="Consumer groups"
      lead="Who reads what in this cluster, how far they have come, and how far behind they are."
    >
      <Stack gap="sm">
        <Filters filter={filter} onChange={narrow} />
        <Silent brokers={groups.silent} />
        <Loaded query={groups} lines={8}>
          {() =>
            groups.items.length === 0 ? (
              <None filtered={Object.keys(filter).length > 0} cluster={cluster} />
            ) : (
              <>
                <Groups cluster={cluster} groups={groups.items} />
                {groups.hasNextPage && (
                  <Row justify="center">
                    <Button
                      variant="default"
                      loading={groups.isFetchingNextPage}
                      onClick={() => void groups.fetchNextPage()}
                    >
                      Show more
                    </Button>
                  </Row>
                )}
              </>
            )
          }
        </Loaded>
      </Stack>
    </Page>
  );
}

/** A filter without what is empty. */
function cleaned(filter: GroupFilter): GroupFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
}

function Filters({ filter, onChange }: { filter: GroupFilter; onChange: (filter: GroupFilter) => void }) {
  const [text, setText] = useState(filter.contains ?? "");
  const later = useDebouncedCallback(onChange, 250);
  return (
    <Row gap="sm" role="search" aria-label="Filter groups">
      <TextInput
        aria-label="Find groups"
        placeholder="Part of a name"
        leftSection={<IconSearch size={16} />}
        value={text}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          later(cleaned({ ...filter, contains: currentTarget.value }));
        }}
      />
      <Select
        aria-label="State"
        placeholder="Any state"
        clearable
        clearButtonProps={{ "aria-label": "Any state" }}
        data={Object.entries(states).map(([value, label]) => ({ value, label }))}
        value={filter.state ?? null}
        onChange={(state) => onChange(cleaned({ ...filter, state: state ?? "" }))}
      />
    </Row>
  );
}

function Silent({ brokers }: { brokers: readonly number[] }) {
  if (brokers.length === 0) return null;
  return (
    <Alert color="yellow" icon={<IconAlertTriangle size={18} />} title="Some groups may be missing" role="status">
      Broker {[...new Set(brokers)].join(", ")} does not answer now. The groups that it coordinates are shown once it
      does.
    </Alert>
  );
}

function None({ filtered, cluster }: { filtered: boolean; cluster: string }) {
  if (filtered)
    return (
      <Empty icon={IconUsersGroup} title="No group is like that">
        <Text size="sm">Change the name or the state that you look for.</Text>
      </Empty>
    );
  return (
    <Empty icon={IconUsersGroup} title="No consumer group yet">
      <Text size="sm">
        A group is there as soon as a consumer with a <code>group.id</code> connects. The guided start has a snippet for
        your language.
      </Text>
      <Row justify="center">
        <Button component={Link} to="/start">
          Start guided
        </Button>
        <Button component={Link} to={`/clusters/${cluster}/topics`} variant="default">
          Topics
        </Button>
      </Row>
    </Empty>
  );
}

function Groups({ cluster, groups }: { cluster: string; groups: readonly Group[] }) {
  const headings = [
    { label: "Group" },
    { label: "State" },
    { label: "Members", number: true },
    { label: "Lag in records", number: true },
    { label: "Topics" },
    { label: "Assignor" },
  ];
  return (
    <Listing label="Consumer groups" headings={headings} width={760}>
      {groups.map((group) => (
        <Table.Tr key={group.group}>
          <Table.Td maw={340} style={{ overflowWrap: "anywhere" }}>
            <Name cluster={cluster} group={group.group} />
          </Table.Td>
          <Table.Td>
            <StateBadge state={group.state} />
          </Table.Td>
          <Table.Td ta="right">{count(group.members)}</Table.Td>
          <Table.Td ta="right">
            <Lag records={group.lag_records} seconds={group.lag_seconds} />
          </Table.Td>
          <Table.Td maw={300} style={{ overflowWrap: "anywhere" }}>
            {group.topics.length === 0 ? "–" : shortened(group.topics)}
          </Table.Td>
          <Table.Td>{group.protocol ?? "–"}</Table.Td>
        </Table.Tr>
      ))}
    </Listing>
  );
}

/** The first topics of a list, and how many more there are. */
function shortened(topics: readonly string[]): string {
  const shown = topics.slice(0, 3).join(", ");
  return topics.length > 3 ? `${shown} and ${topics.length - 3} more` : shown;
}

/** A link to a group. A path has no place for a name that is empty. */
function Name({ cluster, group }: { cluster: string; group: string }) {
  if (group === "") return <Text c="dimmed">without a name</Text>;
  return (
    <Anchor
      fw={600}
      renderRoot={(props) => <Link {...props} to="/clusters/$cluster/groups/$group" params={{ cluster, group }} />}
    >
      {group}
    </Anchor>
  );
}
