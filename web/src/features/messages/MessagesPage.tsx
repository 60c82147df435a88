import { Alert, Button, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFileSearch, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { Empty } from "@/components/Empty";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { clusterQuery } from "@/shell/workspace";
import { type At, idOf, type Message, topicQuery } from "./api";
import { MessageDrawer } from "./MessageDrawer";
import { MessageTable } from "./MessageTable";
import { ProduceModal } from "./ProduceModal";
import { ReplayModal } from "./ReplayModal";
import { SearchForm } from "./SearchForm";
import { SearchStatus } from "./SearchStatus";
import { newestFirst, type Search } from "./search";
import { Toolbar } from "./Toolbar";
import { useDecoders } from "./useDecoders";
import { type State, useSearch } from "./useSearch";

const route = getRouteApi("/app/clusters/$cluster/topics/$topic/messages");

/** What is in a topic: looked for, looked at, exported, produced and replayed. */
export function MessagesPage() {
  const at = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: cluster } = useQuery(clusterQuery(at.cluster));
  const topic = useQuery(topicQuery(at));
  const [run, setRun] = useState(0);
  const [producing, { open, close }] = useDisclosure(false);
  const searchFor = (next: Search) => {
    setRun((before) => before + 1);
    void navigate({ search: next, replace: true });
  };
  return (
    <Page
      title={`Messages of ${at.topic}`}
      trail={[
        { label: "Clusters", to: "/clusters" },
        { label: cluster?.name ?? "Cluster", to: `/clusters/${at.cluster}` },
        { label: "Topics", to: `/clusters/${at.cluster}/topics` },
        { label: at.topic, to: `/clusters/${at.cluster}/topics/${at.topic}` },
      ]}
      actions={
        <Button leftSection={<IconPlus size={16} />} onClick={open}>
          Produce
        </Button>
      }
    >
      {topic.error && <ProblemAlert error={topic.error} retry={() => void topic.refetch()} />}
      <SearchForm at={at} search={search} partitions={topic.data?.partitions ?? 1} onSearch={searchFor} />
      <Results at={at} search={search} run={run} onProduce={open} />
      <ProduceModal at={at} opened={producing} onClose={close} partitions={topic.data?.partitions ?? 1} />
    </Page>
  );
}

interface ResultsProps {
  at: At;
  search: Search;
  run: number;
  onProduce: () => void;
}

function Results({ at, search, run, onProduce }: ResultsProps) {
  const { state, stop, more } = useSearch(at, search, run);
  const { reading, keep, decoders, fault } = useDecoders(at);
  const [opened, setOpened] = useState<Message>();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [replayed, setReplayed] = useState<Message[]>();
  const shown = useMemo(() => (newestFirst(search) ? state.found.toReversed() : state.found), [state.found, search]);
  const chosen = useMemo(() => state.found.filter((message) => selected.has(idOf(message))), [state.found, selected]);
  const close = useCallback(() => setOpened(undefined), []);
  return (
    <Stack gap="sm">
      <SearchStatus state={state} live={search.live === true} onStop={stop} onMore={more} />
      {fault && (
        <Alert color="red" title="The schema cannot be read">
          {fault}
        </Alert>
      )}
      {state.error !== undefined && <ProblemAlert error={state.error} retry={more} />}
      <Toolbar
        at={at}
        found={state.found}
        chosen={chosen}
        reading={reading}
        onRead={keep}
        decoders={decoders}
        onReplay={() => setReplayed(chosen)}
      />
      {shown.length > 0 ? (
        <MessageTable
          messages={shown}
          decoders={decoders}
          selected={selected}
          onSelect={setSelected}
          onOpen={setOpened}
        />
      ) : (
        <Nothing state={state} search={search} onProduce={onProduce} />
      )}
      <MessageDrawer
        at={at}
        message={opened}
        messages={shown}
        reading={reading}
        onOpen={setOpened}
        onClose={close}
        onReplay={(message) => setReplayed([message])}
      />
      {replayed && <ReplayModal at={at} messages={replayed} onClose={() => setReplayed(undefined)} />}
    </Stack>
  );
}

function Nothing({ state, search, onProduce }: { state: State; search: Search; onProduce: () => void }) {
  if (state.status === "failed" || (state.status === "searching" && !search.live)) return null;
  if (search.live) return <Empty icon={IconFileSearch} title="Waiting for messages" />;
  if (search.filter) {
    const title = state.status === "ended" ? "No message matches" : "No message matches so far";
    return (
      <Empty icon={IconFileSearch} title={title}>
        Begin earlier, choose more partitions, or loosen the filter.
      </Empty>
    );
  }
  return (
    <Empty icon={IconFileSearch} title="There is nothing here">
      Begin at the oldest message, or produce the first one.
      <Button variant="light" onClick={onProduce}>
        Produce a message
      </Button>
    </Empty>
  );
}
