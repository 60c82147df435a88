import { Alert, Button, Group, Modal, Progress, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { AsCode } from "@/components/AsCode";
import { count } from "@/components/format";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type At, type Message, type NewMessage, produce, topicQuery, undeclared } from "./api";
import { DraftFields } from "./DraftFields";
import { type Draft, draftOf, isWhole, recordOf, requests } from "./drafts";

/** How many records are shown as code. */
const inCode = 3;

interface Props {
  at: At;
  messages: readonly Message[];
  onClose: () => void;
}

/** In the order in which they were written. */
function ordered(messages: readonly Message[]): Message[] {
  return messages.toSorted((a, b) => a.timestamp.localeCompare(b.timestamp) || a.offset - b.offset);
}

/** Produces messages again, to this topic or another one; a single one can be edited before. */
export function ReplayModal({ at, messages, onClose }: Props) {
  const whole = ordered(messages.filter((message) => !message.truncated));
  const only = messages.length === 1 ? whole[0] : undefined;
  const [topic, setTopic] = useState(at.topic);
  const [draft, setDraft] = useState<Draft | undefined>(() => (only ? draftOf(only) : undefined));
  const [sent, setSent] = useState(0);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const target = useQuery({
    ...topicQuery({ ...at, topic }),
    enabled: only !== undefined && topic !== "",
    retry: false,
  });
  const records: NewMessage[] = draft ? [recordOf(draft)] : whole.map((message) => recordOf(draftOf(message)));
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      let count = sent;
      for (const some of requests(records.slice(sent))) {
        await produce({ ...at, topic }, some);
        count += some.length;
        setSent(count);
      }
      done(`${count === 1 ? "One message was" : `${count} messages were`} produced to ${topic}.`);
      onClose();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const path = `/v1/clusters/${at.cluster}/topics/${topic}/records`;
  return (
    <Modal
      opened
      onClose={onClose}
      title={messages.length === 1 ? "Replay a message" : `Replay ${count(messages.length)} messages`}
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form onSubmit={send}>
        <Stack>
          <Left all={messages.length} whole={whole.length} />
          <TextInput
            label="To the topic"
            description="This one or another of the cluster."
            value={topic}
            onChange={(event) => setTopic(event.currentTarget.value)}
            disabled={sent > 0}
            required
          />
          {draft && <DraftFields draft={draft} onChange={setDraft} partitions={target.data?.partitions ?? 1} />}
          {!draft && whole.length > 0 && (
            <Text size="sm">
              Keys, values and headers stay as they are, byte for byte. Each goes to its key's partition, in the order
              of time, with the time of now.
            </Text>
          )}
          {sent > 0 && <Progress value={(sent / records.length) * 100} aria-label="Messages that were produced" />}
          {error !== undefined && <ProblemAlert error={error} />}
          <AsCode
            request={{ method: "POST", path, body: { records: records.slice(0, inCode) } }}
            undeclared={undeclared}
          />
          {records.length > inCode && (
            <Text size="xs" c="dimmed">
              The command holds the first {inCode} of {count(records.length)}; a request takes a hundred.
            </Text>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={busy}
              disabled={records.length === 0 || topic === "" || (draft !== undefined && !isWhole(draft))}
            >
              {sent > 0 ? `Go on behind ${count(sent)}` : "Replay"}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Left({ all, whole }: { all: number; whole: number }) {
  if (all === whole) return null;
  return (
    <Alert color="yellow" title={`${count(all - whole)} of them cannot be replayed`}>
      Not all of their bytes were loaded: they are too large for the console.
    </Alert>
  );
}
