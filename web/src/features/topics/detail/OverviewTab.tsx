import { Card, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { CopyField } from "@/components/CopyField";
import { bytes, count, moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { catalogueQuery, type Topic, type TopicConfig, topicConfigsQuery, topicSizeQuery } from "../api";
import { meaning } from "../configs/value";

/** What there is to know of a topic at one look. */
export function OverviewTab({ cluster, topic }: { cluster: string; topic: Topic }) {
  const size = useQuery(topicSizeQuery(cluster, topic.name));
  const configs = useQuery(topicConfigsQuery(cluster, topic.name));
  return (
    <Stack>
      <SimpleGrid cols={{ base: 2, md: 4 }}>
        <Fact label="Partitions">{count(topic.partitions)}</Fact>
        <Fact label="Records">{count(size.data?.records)}</Fact>
        <Fact label="Size">{bytes(size.data?.bytes)}</Fact>
        <Fact label="Created">{moment(topic.created_at)}</Fact>
      </SimpleGrid>
      <Loaded query={configs} lines={3}>
        {(all) => <Settings configs={all} />}
      </Loaded>
      <Card withBorder>
        <Title order={2} size="h5" mb="xs">
          Id
        </Title>
        <CopyField value={topic.topic_id} label="topic id" />
        <Text size="xs" c="dimmed" mt={4}>
          As Kafka&apos;s tools show it. A topic that is deleted and made again has another one.
        </Text>
      </Card>
    </Stack>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Card withBorder padding="sm">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text fw={600} size="lg" style={{ fontVariantNumeric: "tabular-nums", overflowWrap: "anywhere" }}>
        {children}
      </Text>
    </Card>
  );
}

/** What most decides what becomes of records. */
const telling = ["cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes", "compression.type"];

const titles: Readonly<Record<string, string>> = {
  "cleanup.policy": "What happens to old records",
  "retention.ms": "How long records stay",
  "retention.bytes": "How much a partition keeps",
  "max.message.bytes": "Largest batch",
  "compression.type": "Compression",
};

function Settings({ configs }: { configs: readonly TopicConfig[] }) {
  const { data: catalogue = [] } = useQuery(catalogueQuery);
  const own = configs.filter(({ name, source }) => source === "topic" && !telling.includes(name));
  const shown = [...configs.filter(({ name }) => telling.includes(name)), ...own];
  const said = ({ name, value }: TopicConfig) => {
    const key = catalogue.find((each) => each.name === name);
    return (key && meaning(key, value ?? "")) ?? (value || "–");
  };
  return (
    <Card withBorder>
      <Title order={2} size="h5" mb="xs">
        Configuration
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 2, md: 3 }} component="dl" m={0}>
        {shown.map((config) => (
          <div key={config.name}>
            <Text component="dt" size="xs" c="dimmed">
              {titles[config.name] ?? config.name}
            </Text>
            <Text component="dd" m={0} style={{ overflowWrap: "anywhere" }}>
              {said(config)}
              {config.source === "topic" && (
                <Text span size="xs" c="dimmed">
                  {" "}
                  (its own)
                </Text>
              )}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Card>
  );
}
