import { Alert, Anchor, Badge, Stack, Table, Text } from "@mantine/core";
import { IconUsersGroup } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Empty } from "@/components/Empty";
import { count, duration } from "@/components/format";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { topicGroupsQuery } from "../api";

/** Which groups read a topic, and how far behind they are. */
export function ConsumersTab({ cluster, topic }: { cluster: string; topic: string }) {
  const groups = useQuery(topicGroupsQuery(cluster, topic));
  return (
    <Loaded query={groups}>
      {({ items, incomplete }) => (
        <Stack>
          {incomplete && <Alert color="yellow">Not every broker answers now, so groups may be missing here.</Alert>}
          {items.length === 0 ? (
            <Empty icon={IconUsersGroup} title="No group reads this topic">
              <Text size="sm" c="dimmed">
                A group is here once one of its members reads the topic, or has committed an offset in it.
              </Text>
            </Empty>
          ) : (
            <Groups cluster={cluster} groups={items} />
          )}
        </Stack>
      )}
    </Loaded>
  );
}

interface Group {
  group: string;
  state: string;
  members: number;
  lag_records?: number | null;
  lag_seconds?: number | null;
}

function Groups({ cluster, groups }: { cluster: string; groups: readonly Group[] }) {
  return (
    <Listing
      label="Consumers"
      headings={[
        "Group",
        "State",
        { label: "Members", number: true },
        { label: "Lag in records", number: true },
        { label: "Lag in time", number: true },
      ]}
      width={520}
    >
      {groups.map(({ group, state, members, lag_records, lag_seconds }) => (
        <Table.Tr key={group}>
          <Table.Th scope="row" fw={500} style={{ overflowWrap: "anywhere" }}>
            <Anchor component={Link} to={`/clusters/${cluster}/groups/${encodeURIComponent(group)}`}>
              {group}
            </Anchor>
          </Table.Th>
          <Table.Td>
            <Badge variant="outline" color={state === "stable" ? "teal" : "gray"}>
              {state.replaceAll("_", " ")}
            </Badge>
          </Table.Td>
          <Table.Td ta="right">{count(members)}</Table.Td>
          <Table.Td ta="right">{count(lag_records)}</Table.Td>
          <Table.Td ta="right">{duration(lag_seconds)}</Table.Td>
        </Table.Tr>
      ))}
    </Listing>
  );
}
