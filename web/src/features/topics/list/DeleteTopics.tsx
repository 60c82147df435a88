import { Badge, Button, Group, Modal, Progress, ScrollArea, Stack, Table, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { count } from "@/components/format";
import { ProblemAlert } from "@/components/ProblemAlert";
import { batch, deleteTopics, type TopicResult } from "../api";

interface Props {
  cluster: string;
  names: ReadonlySet<string>;
  opened: boolean;
  onClose: () => void;
  /** What is gone. */
  onDeleted: (gone: ReadonlySet<string>) => void;
}

/** Deletes what was chosen, and says of each topic what became of it. */
export function DeleteTopics({ cluster, names, opened, onClose, onDeleted }: Props) {
  const queries = useQueryClient();
  const [results, setResults] = useState<TopicResult[]>();
  const [asked, setAsked] = useState(0);
  const [error, setError] = useState<unknown>();
  const run = async () => {
    const wanted = [...names];
    setAsked(wanted.length);
    setResults([]);
    setError(undefined);
    try {
      await deleteTopics(cluster, wanted, (more) => {
        setResults((before = []) => [...before, ...more]);
        // What was not there is gone as well.
        onDeleted(new Set(more.filter(({ status }) => status < 300 || status === 404).map(({ name }) => name)));
      });
    } catch (thrown) {
      setError(thrown);
    }
    await queries.invalidateQueries({ queryKey: ["topics", cluster] });
  };
  const first = [...names].slice(0, batch);
  const word = names.size === 1 ? ([...names][0] ?? "") : `delete ${names.size} topics`;
  return (
    <>
      <ConfirmTyped
        opened={opened}
        onClose={onClose}
        title={names.size === 1 ? "Delete topic" : `Delete ${count(names.size)} topics`}
        word={word}
        action="Delete"
        code={{
          request: { method: "POST", path: `/v1/clusters/${cluster}/topics/batch`, body: { delete: first } },
          removed: first.map((name) => ({ type: "firn_topic", name })),
        }}
        onConfirm={async () => void run()}
      >
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {named([...names])}: all records in {names.size === 1 ? "it" : "them"} are gone at once. This cannot be taken
          back.
        </Text>
        {names.size > batch && (
          <Text size="sm">As code, the first {count(batch)} are shown: a request takes no more.</Text>
        )}
      </ConfirmTyped>
      <Results results={results} asked={asked} error={error} onClose={() => setResults(undefined)} />
    </>
  );
}

/** How many names are told before the rest is counted. */
const told = 8;

function named(names: readonly string[]): string {
  const more = names.length - told;
  return more > 0 ? `${names.slice(0, told).join(", ")} and ${count(more)} more` : names.join(", ");
}

interface ResultsProps {
  results: TopicResult[] | undefined;
  asked: number;
  error: unknown;
  onClose: () => void;
}

function Results({ results, asked, error, onClose }: ResultsProps) {
  const failed = results?.filter(({ status }) => status >= 300) ?? [];
  const known = results?.length ?? 0;
  const over = known === asked || error !== undefined;
  return (
    <Modal
      opened={results !== undefined}
      onClose={onClose}
      title="Deleting topics"
      size="lg"
      withCloseButton={over}
      closeOnClickOutside={over}
      closeOnEscape={over}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        <Progress value={asked === 0 ? 0 : (known / asked) * 100} animated={!over} aria-label="Deleted so far" />
        <Text size="sm" aria-live="polite">
          {count(known - failed.length)} of {count(asked)} deleted
          {failed.length > 0 ? `, ${count(failed.length)} failed` : ""}.
        </Text>
        {error !== undefined && <ProblemAlert error={error} />}
        {known > 0 && <ResultTable results={failed.length > 0 ? [...failed, ...gone(results)] : gone(results)} />}
        <Group justify="flex-end">
          <Button onClick={onClose} disabled={!over}>
            Done
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function gone(results: readonly TopicResult[] = []): TopicResult[] {
  return results.filter(({ status }) => status < 300);
}

/** How many results are shown: those that failed come first. */
const most = 200;

function ResultTable({ results }: { results: readonly TopicResult[] }) {
  return (
    <ScrollArea.Autosize mah={320} viewportProps={{ tabIndex: 0, role: "region", "aria-label": "Results" }}>
      <Table aria-label="Results">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Topic</Table.Th>
            <Table.Th scope="col">Result</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {results.slice(0, most).map(({ name, status, problem }) => (
            <Table.Tr key={name}>
              <Table.Td miw={110} style={{ overflowWrap: "anywhere" }}>
                {name}
              </Table.Td>
              <Table.Td>
                {status < 300 ? (
                  <Badge color="teal" variant="outline">
                    deleted
                  </Badge>
                ) : (
                  <Text size="sm">
                    {problem?.detail ?? `Status ${status}`}
                    {problem?.request_id ? ` (request ${problem.request_id})` : ""}
                  </Text>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {results.length > most && (
        <Text size="sm" c="dimmed">
          And {count(results.length - most)} more.
        </Text>
      )}
    </ScrollArea.Autosize>
  );
}
