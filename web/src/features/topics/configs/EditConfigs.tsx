import "./configs.css";
import { Alert, Button, Group, Modal, Stack, Table, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { asProblem, type Problem } from "@/api/problem";
import { AsCode } from "@/components/AsCode";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { type ConfigKey, catalogueQuery, changeTopic, rehearseChange, type Topic, topicQuery } from "../api";
import { ConfigFields, type Values } from "./ConfigFields";
import { Verdict } from "./CreateTopic";
import { useRehearsal } from "./useRehearsal";
import { meaning, wrong } from "./value";

interface Props {
  cluster: string;
  topic: string;
  /** The value of a config that the topic has not of its own. */
  inherited: (name: string) => string | undefined;
  /** Which config is to be changed first. */
  first?: string | undefined;
  opened: boolean;
  onClose: () => void;
}

/** Changes a topic's configs: what becomes another is shown before it is saved, and nothing is saved over somebody else's change. */
export function EditConfigs({ opened, onClose, ...about }: Props) {
  const catalogue = useQuery(catalogueQuery);
  const topic = useQuery(topicQuery(about.cluster, about.topic));
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Configuration of ${about.topic}`}
      size="xl"
      closeButtonProps={{ "aria-label": "Close" }}
      closeOnClickOutside={false}
    >
      <Loaded query={catalogue}>
        {(keys) => (
          <Loaded query={topic}>{(read) => <Form {...about} {...read} catalogue={keys} onClose={onClose} />}</Loaded>
        )}
      </Loaded>
    </Modal>
  );
}

export interface Difference {
  name: string;
  /** `null`: what is usual applies. */
  before: string | null;
  after: string | null;
}

/** What saving would change, in the order of names. */
export function differences(before: Values, after: Values): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const all = names.map((name) => ({ name, before: before[name] ?? null, after: after[name]?.trim() ?? null }));
  return all.filter((each) => each.before !== each.after);
}

interface FormProps extends Omit<Props, "opened"> {
  value: Topic;
  etag: string;
  catalogue: readonly ConfigKey[];
}

function Form({ cluster, topic, inherited, first, value, etag, catalogue, onClose }: FormProps) {
  // The version that the form began with: if the topic is read anew meanwhile, saving still says what it was made from.
  const [base, setBase] = useState({ configs: value.configs as Values, etag });
  const initial = (config: ConfigKey) => inherited(config.name) ?? config.default ?? "";
  const [values, setValues] = useState<Values>(() => beginning(base.configs, catalogue, first, initial));
  const [refused, setRefused] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const queries = useQueryClient();
  const changes = differences(base.configs, values);
  const sound = catalogue.every((key) => values[key.name] === undefined || !wrong(key, values[key.name] ?? ""));
  const body = { configs: Object.fromEntries(changes.map(({ name, after }) => [name, after])) };
  const rehearsal = useRehearsal({
    key: ["topic", cluster, topic],
    body: sound && changes.length > 0 ? body : undefined,
    send: (signal) => rehearseChange(cluster, topic, body, signal),
  });
  const problem = rehearsal.problem ?? refused;
  const reload = async () => {
    const fresh = await queries.fetchQuery({ ...topicQuery(cluster, topic), staleTime: 0 });
    const kept = Object.fromEntries(changes.map(({ name, after }) => [name, after]));
    setBase({ configs: fresh.value.configs, etag: fresh.etag });
    setValues(merged(fresh.value.configs, kept));
    setRefused(undefined);
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefused(undefined);
    try {
      await changeTopic(cluster, topic, base.etag, body);
      await queries.invalidateQueries({ queryKey: ["topic", cluster, topic] });
      done(`The configuration of ${topic} is saved.`);
      onClose();
    } catch (thrown) {
      setRefused(asProblem(thrown));
    } finally {
      setBusy(false);
    }
  };
  const stale = refused?.status === 412;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <ConfigFields
          catalogue={catalogue}
          values={values}
          onChange={setValues}
          initial={initial}
          fault={(name) => problem?.fault(`/configs/${name}`)}
        />
        <Changes changes={changes} inherited={inherited} catalogue={catalogue} />
        {stale ? (
          <Stale onReload={reload} />
        ) : (
          <Verdict accepted={rehearsal.accepted} problem={problem?.faults.length === 0 ? problem : undefined} />
        )}
        <AsCode
          request={{ method: "PATCH", path: `/v1/clusters/${cluster}/topics/${topic}`, body }}
          resource={{
            type: "firn_topic",
            name: topic,
            attributes: { cluster, name: topic, partitions: value.partitions, configs: values },
          }}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!sound || changes.length === 0 || stale} loading={busy}>
            Save {changes.length === 1 ? "1 change" : `${changes.length} changes`}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function beginning(
  own: Values,
  catalogue: readonly ConfigKey[],
  first: string | undefined,
  initial: (config: ConfigKey) => string,
): Values {
  const wanted = catalogue.find(({ name }) => name === first);
  return wanted && own[wanted.name] === undefined ? { ...own, [wanted.name]: initial(wanted) } : own;
}

/** Values as they are now, with the changes that were made in the form. */
export function merged(now: Values, changes: Readonly<Record<string, string | null>>): Values {
  const all = Object.entries({ ...now, ...changes });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
}

function Stale({ onReload }: { onReload: () => Promise<void> }) {
  return (
    <Alert color="yellow" title="Somebody else has changed this topic" role="alert">
      <Text size="sm" mb="xs">
        It is not as you saw it any more, so nothing was saved. Load it as it is now: your changes stay in the form, and
        are shown against it.
      </Text>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconRefresh size={14} />}
        onClick={() => void onReload()}
      >
        Load it as it is now
      </Button>
    </Alert>
  );
}

interface ChangesProps {
  changes: readonly Difference[];
  inherited: (name: string) => string | undefined;
  catalogue: readonly ConfigKey[];
}

function Changes({ changes, inherited, catalogue }: ChangesProps) {
  if (changes.length === 0)
    return (
      <Text size="sm" c="dimmed">
        Nothing is changed yet.
      </Text>
    );
  const said = (name: string, value: string | null) => {
    const config = catalogue.find((each) => each.name === name);
    const applies = value ?? inherited(name);
    const means = config && applies !== undefined ? meaning(config, applies) : undefined;
    const text = value ?? (applies === undefined ? "as usual" : `as usual: ${applies}`);
    return means ? `${text} (${means})` : text;
  };
  return (
    <Listing label="What will change" headings={["Config", "Now", "Then"]} width={320}>
      {changes.map(({ name, before, after }) => (
        <Table.Tr key={name}>
          <Table.Th scope="row" className="mono">
            {name}
          </Table.Th>
          <Table.Td>
            <Text component="del" size="sm" td="line-through" className="change-before">
              {said(name, before)}
            </Text>
          </Table.Td>
          <Table.Td>
            <Text component="ins" size="sm" fw={600} td="none">
              {said(name, after)}
            </Text>
          </Table.Td>
        </Table.Tr>
      ))}
    </Listing>
  );
}
