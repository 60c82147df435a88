import { ActionIcon, Badge, Button, Group, Stack, Switch, Table, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPencil, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Listing, RowActions } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { type ConfigKey, catalogueQuery, type Topic, type TopicConfig, topicConfigsQuery } from "../api";
import { EditConfigs } from "../configs/EditConfigs";
import { meaning } from "../configs/value";

/** Every config with its value, where that comes from, and what it does. */
export function ConfigurationTab({ cluster, topic }: { cluster: string; topic: Topic }) {
  const configs = useQuery(topicConfigsQuery(cluster, topic.name));
  const [text, setText] = useState("");
  const [own, setOwn] = useState(false);
  const [editing, edit] = useDisclosure();
  const [first, setFirst] = useState<string>();
  const { data: catalogue = [] } = useQuery(catalogueQuery);
  const open = (name?: string) => {
    setFirst(name);
    edit.open();
  };
  const wanted = text.trim().toLowerCase();
  const fits = ({ name, documentation, source }: TopicConfig) =>
    (!own || source === "topic") && `${name} ${documentation ?? ""}`.toLowerCase().includes(wanted);
  const inherited = (name: string) => configs.data?.find((each) => each.name === name)?.default ?? undefined;
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <Group align="flex-end">
          <TextInput
            label="Find a config"
            placeholder="Its name, or what it does"
            leftSection={<IconSearch size={16} />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            w={{ base: "100%", xs: 280 }}
          />
          <Switch
            label="Only the topic's own"
            checked={own}
            onChange={(event) => setOwn(event.currentTarget.checked)}
            mb={8}
          />
        </Group>
        <Button leftSection={<IconPencil size={16} />} onClick={() => open()}>
          Edit
        </Button>
      </Group>
      <Loaded query={configs} lines={10}>
        {(all) => <ConfigTable configs={all.filter(fits)} catalogue={catalogue} onEdit={open} />}
      </Loaded>
      <EditConfigs
        cluster={cluster}
        topic={topic.name}
        inherited={inherited}
        first={first}
        opened={editing}
        onClose={edit.close}
      />
    </Stack>
  );
}

interface TableProps {
  configs: readonly TopicConfig[];
  catalogue: readonly ConfigKey[];
  onEdit: (name: string) => void;
}

function ConfigTable({ configs, catalogue, onEdit }: TableProps) {
  if (configs.length === 0)
    return (
      <Text c="dimmed" size="sm">
        No config fits. Without a value of its own, a topic follows its cluster.
      </Text>
    );
  return (
    <Listing label="Configuration" headings={["Config", "Value", "From", ""]} width={480}>
      {configs.map((config) => (
        <Row
          key={config.name}
          config={config}
          known={catalogue.find(({ name }) => name === config.name)}
          onEdit={onEdit}
        />
      ))}
    </Listing>
  );
}

const sources = {
  topic: { label: "the topic", color: "ice" },
  cluster: { label: "the cluster", color: "grape" },
  service: { label: "the service", color: "gray" },
  default: { label: "usual", color: "gray" },
} as const;

interface RowProps {
  config: TopicConfig;
  known: ConfigKey | undefined;
  onEdit: (name: string) => void;
}

function Row({ config, known, onEdit }: RowProps) {
  const { label, color } = sources[config.source];
  const means = known && meaning(known, config.value ?? "");
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={400}>
        <Text size="sm" className="mono">
          {config.name}
        </Text>
        <Text size="xs" c="dimmed">
          {config.documentation}
        </Text>
      </Table.Th>
      <Table.Td>
        <Text size="sm" className="mono" style={{ overflowWrap: "anywhere" }}>
          {config.value === "" ? "empty" : (config.value ?? "–")}
        </Text>
        {means && (
          <Text size="xs" c="dimmed">
            {means}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Badge variant={config.source === "topic" ? "filled" : "outline"} color={color}>
          {label}
        </Badge>
      </Table.Td>
      <RowActions>
        {!config.read_only && (
          <ActionIcon variant="subtle" onClick={() => onEdit(config.name)} aria-label={`Change ${config.name}`}>
            <IconPencil size={16} />
          </ActionIcon>
        )}
      </RowActions>
    </Table.Tr>
  );
}
