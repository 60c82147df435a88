import { Alert, Button, Group, Modal, NumberInput, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { asProblem, type Problem } from "@/api/problem";
import { AsCode } from "@/components/AsCode";
import { count } from "@/components/format";
import { done } from "@/components/notify";
import { changeTopic, rehearseChange, type Topic } from "../api";
import { Verdict } from "../configs/CreateTopic";
import { useRehearsal } from "../configs/useRehearsal";
import { wrongPartitions } from "../configs/value";

interface Props {
  cluster: string;
  topic: Topic;
  etag: string;
  opened: boolean;
  onClose: () => void;
}

/** Gives a topic more partitions. */
export function AddPartitions({ opened, onClose, ...about }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Add partitions to ${about.topic.name}`}
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Form {...about} onClose={onClose} />
    </Modal>
  );
}

function Form({ cluster, topic, etag, onClose }: Omit<Props, "opened">) {
  const least = topic.partitions + 1;
  const [partitions, setPartitions] = useState<number | string>(least);
  const [refused, setRefused] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const queries = useQueryClient();
  const error = wrongPartitions(partitions, least);
  const body = { partitions: Number(partitions) };
  const own = Object.keys(topic.configs).length > 0 ? topic.configs : undefined;
  const rehearsal = useRehearsal({
    key: ["topic", cluster, topic.name],
    body: error ? undefined : body,
    send: (signal) => rehearseChange(cluster, topic.name, body, signal),
  });
  const problem = rehearsal.problem ?? refused;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefused(undefined);
    try {
      await changeTopic(cluster, topic.name, etag, body);
      done(`${topic.name} has ${count(body.partitions)} partitions.`);
      onClose();
    } catch (thrown) {
      setRefused(asProblem(thrown));
    } finally {
      void queries.invalidateQueries({ queryKey: ["topics", cluster] });
      await queries.invalidateQueries({ queryKey: ["topic", cluster, topic.name] });
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <NumberInput
          label="Partitions"
          description={`It has ${count(topic.partitions)} now.`}
          value={partitions}
          onChange={setPartitions}
          min={least}
          max={100_000}
          clampBehavior="none"
          allowDecimal={false}
          error={error ?? problem?.fault("/partitions")}
          data-autofocus
        />
        <Alert color="yellow" variant="light">
          <Text size="sm">
            From then on a key may lie in another partition than its earlier records, so their order is lost across the
            change. Partitions cannot be taken away again.
          </Text>
        </Alert>
        <Verdict accepted={rehearsal.accepted} problem={problem?.faults.length === 0 ? problem : undefined} />
        <AsCode
          request={{ method: "PATCH", path: `/v1/clusters/${cluster}/topics/${topic.name}`, body }}
          resource={{
            type: "firn_topic",
            name: topic.name,
            attributes: { cluster, name: topic.name, partitions: body.partitions, configs: own },
          }}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={error !== undefined} loading={busy}>
            Add partitions
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
