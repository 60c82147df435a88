import { Button, Menu, Skeleton, Tabs } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconColumnInsertRight, IconMessages, IconSettings, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { Page } from "@/components/Page";
import { clusterQuery } from "@/shell/workspace";
import { deleteTopic, type Topic, topicQuery } from "../api";
import { type Tab, tabs } from "../routes";
import { AddPartitions } from "./AddPartitions";
import { OverviewTab } from "./OverviewTab";

const PartitionsTab = lazy(() => import("./PartitionsTab").then((loaded) => ({ default: loaded.PartitionsTab })));
const ConfigurationTab = lazy(() =>
  import("./ConfigurationTab").then((loaded) => ({ default: loaded.ConfigurationTab })),
);
const ConsumersTab = lazy(() => import("./ConsumersTab").then((loaded) => ({ default: loaded.ConsumersTab })));

/** One topic. */
export function TopicPage() {
  const { cluster, topic } = useParams({ from: "/app/clusters/$cluster/topics/$topic" });
  const { data: shown } = useQuery(clusterQuery(cluster));
  const read = useQuery(topicQuery(cluster, topic));
  return (
    <Page
      title={topic}
      trail={[
        { label: "Clusters", to: "/clusters" },
        { label: shown?.name ?? "Cluster", to: `/clusters/${cluster}` },
        { label: "Topics", to: `/clusters/${cluster}/topics` },
      ]}
      actions={read.data && <Actions cluster={cluster} topic={read.data.value} etag={read.data.etag} />}
    >
      <Loaded query={read}>{({ value }) => <TopicTabs cluster={cluster} topic={value} />}</Loaded>
    </Page>
  );
}

function TopicTabs({ cluster, topic }: { cluster: string; topic: Topic }) {
  const { tab = "overview" } = useSearch({ from: "/app/clusters/$cluster/topics/$topic" });
  const navigate = useNavigate({ from: "/clusters/$cluster/topics/$topic" });
  const change = (chosen: string | null) => {
    if (chosen === "messages") {
      void navigate({ to: `/clusters/${cluster}/topics/${topic.name}/messages` });
      return;
    }
    const known = tabs.find((each) => each === chosen);
    void navigate({ search: known ? { tab: known } : {}, replace: true, resetScroll: false });
  };
  const panel = (name: Tab, content: React.ReactNode) => (
    <Tabs.Panel value={name} pt="md">
      <Suspense fallback={<Skeleton height={200} />}>{content}</Suspense>
    </Tabs.Panel>
  );
  return (
    <Tabs value={tab} onChange={change} keepMounted={false} activateTabWithKeyboard={false}>
      <Tabs.List>
        <Tabs.Tab value="overview">Overview</Tabs.Tab>
        <Tabs.Tab value="messages">Messages</Tabs.Tab>
        <Tabs.Tab value="partitions">Partitions</Tabs.Tab>
        <Tabs.Tab value="configuration">Configuration</Tabs.Tab>
        <Tabs.Tab value="consumers">Consumers</Tabs.Tab>
      </Tabs.List>
      {panel("overview", <OverviewTab cluster={cluster} topic={topic} />)}
      {panel("partitions", <PartitionsTab cluster={cluster} topic={topic} />)}
      {panel("configuration", <ConfigurationTab cluster={cluster} topic={topic} />)}
      {panel("consumers", <ConsumersTab cluster={cluster} topic={topic.name} />)}
      {/* Its records are a page of their own; what a tab controls must be there all the same. */}
      <Tabs.Panel value="messages">{null}</Tabs.Panel>
    </Tabs>
  );
}

function Actions({ cluster, topic, etag }: { cluster: string; topic: Topic; etag: string }) {
  const [adding, add] = useDisclosure();
  const [deleting, remove] = useDisclosure();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const end = async () => {
    await deleteTopic(cluster, topic.name);
    await navigate({ to: "/clusters/$cluster/topics", params: { cluster } });
    queries.removeQueries({ queryKey: ["topic", cluster, topic.name] });
    await queries.invalidateQueries({ queryKey: ["topics", cluster] });
    done(`Topic ${topic.name} is deleted.`);
  };
  const configuration = <T extends object>(props: T) => (
    <Link
      {...props}
      to="/clusters/$cluster/topics/$topic"
      params={{ cluster, topic: topic.name }}
      search={{ tab: "configuration" }}
    />
  );
  return (
    <>
      <Button
        component={Link}
        to={`/clusters/${cluster}/topics/${topic.name}/messages`}
        leftSection={<IconMessages size={16} />}
      >
        Messages
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={16} />}>
            Change
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconColumnInsertRight size={16} />} onClick={add.open}>
            Add partitions
          </Menu.Item>
          <Menu.Item leftSection={<IconSettings size={16} />} renderRoot={configuration}>
            Edit configuration
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={remove.open}>
            Delete topic
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <AddPartitions cluster={cluster} topic={topic} etag={etag} opened={adding} onClose={add.close} />
      <ConfirmTyped
        opened={deleting}
        onClose={remove.close}
        title="Delete topic"
        word={topic.name}
        action="Delete topic"
        code={{
          request: { method: "DELETE", path: `/v1/clusters/${cluster}/topics/${topic.name}` },
          removed: { type: "firn_topic", name: topic.name },
        }}
        onConfirm={end}
      >
        All records of {topic.name} are gone at once, and groups that read it lose their place. This cannot be taken
        back.
      </ConfirmTyped>
    </>
  );
}
