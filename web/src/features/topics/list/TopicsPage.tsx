import { Button, Group, Text, TextInput } from "@mantine/core";
import { IconListDetails, IconPlus, IconSearch, IconTrash } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { Empty } from "@/components/Empty";
import { count } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { clusterQuery } from "@/shell/workspace";
import { topicsQuery } from "../api";
import { CreateTopic } from "../configs/CreateTopic";
import type { Sort } from "../routes";
import { DeleteTopics } from "./DeleteTopics";
import { TopicTable } from "./TopicTable";
import { useFilter } from "./useFilter";

/** All topics of a cluster: filtered and sorted by the service, fetched as far as one scrolls. */
export function TopicsPage() {
  const { cluster } = useParams({ from: "/app/clusters/$cluster/topics" });
  // What was chosen in one cluster, or was on the page for it, is nothing in another.
  return <Topics key={cluster} cluster={cluster} />;
}

function Topics({ cluster }: { cluster: string }) {
  const { contains = "", sort = "name", create = false } = useSearch({ from: "/app/clusters/$cluster/topics" });
  const navigate = useNavigate({ from: "/clusters/$cluster/topics" });
  const { data: shown } = useQuery(clusterQuery(cluster));
  const topics = useInfiniteQuery(topicsQuery(cluster, contains, sort));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState(false);
  const change = useCallback(
    (search: { contains?: string; sort?: Sort; create?: boolean }) =>
      void navigate({ search: (before) => ({ ...before, ...search }), replace: true, resetScroll: false }),
    [navigate],
  );
  const setSort = useCallback((sort: Sort) => change({ sort }), [change]);
  const makeOne = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => change({ create: true })}>
      Create topic
    </Button>
  );
  return (
    <Page
      title="Topics"
      lead="Named logs that clients write to and read from."
      trail={[
        { label: "Clusters", to: "/clusters" },
        { label: shown?.name ?? "Cluster", to: `/clusters/${cluster}` },
      ]}
      actions={
        <>
          {chosen.size > 0 && (
            <Button color="red" variant="light" leftSection={<IconTrash size={16} />} onClick={() => setDeleting(true)}>
              Delete {count(chosen.size)}
            </Button>
          )}
          {makeOne}
        </>
      }
    >
      <Loaded query={topics} lines={10}>
        {({ pages }) => {
          const total = pages[pages.length - 1]?.total ?? 0;
          if (total === 0 && contains === "") return <NoTopics>{makeOne}</NoTopics>;
          return (
            <>
              <Filter contains={contains} total={total} onChange={(contains) => change({ contains })} />
              <TopicTable
                cluster={cluster}
                topics={topics}
                total={total}
                sort={sort}
                onSort={setSort}
                chosen={chosen}
                onChoose={setChosen}
              />
            </>
          );
        }}
      </Loaded>
      <CreateTopic cluster={cluster} opened={create} onClose={() => change({ create: false })} />
      <DeleteTopics
        cluster={cluster}
        names={chosen}
        opened={deleting}
        onClose={() => setDeleting(false)}
        onDeleted={(gone) => setChosen((before) => new Set([...before].filter((name) => !gone.has(name))))}
      />
    </Page>
  );
}

function NoTopics({ children }: { children: React.ReactNode }) {
  return (
    <Empty icon={IconListDetails} title="No topic yet">
      <Text size="sm" c="dimmed">
        Create one here, or let a client do it: a producer that names a topic makes it, where the cluster's
        configuration allows that.
      </Text>
      {children}
    </Empty>
  );
}

interface FilterProps {
  contains: string;
  total: number;
  onChange: (contains: string) => void;
}

function Filter({ contains, total, onChange }: FilterProps) {
  const [text, setText] = useFilter(contains, onChange);
  return (
    <Group justify="space-between" align="flex-end">
      <TextInput
        label="Filter"
        placeholder="Part of a name"
        leftSection={<IconSearch size={16} />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        maxLength={249}
        spellCheck={false}
        autoComplete="off"
        w={{ base: "100%", sm: 320 }}
      />
      <Text size="sm" c="dimmed" aria-live="polite">
        {count(total)} {total === 1 ? "topic" : "topics"}
        {contains === "" ? "" : ` with “${contains}” in the name`}
      </Text>
    </Group>
  );
}
