import { Badge, Button, Group, Loader, Progress, Stack, Text } from "@mantine/core";
import { IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { bytes, count } from "@/components/format";
import { behind, shareDone } from "./search";
import type { State } from "./useSearch";

interface Props {
  state: State;
  live: boolean;
  onStop: () => void;
  onMore: () => void;
}

/** How far a search is, and how to stop it or go on. */
export function SearchStatus({ state, live, onStop, onMore }: Props) {
  const done = shareDone(state.began, state.progress);
  const searching = state.status === "searching";
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          {searching && !live && <Loader size="xs" aria-label="Searching" />}
          {live && (
            <Badge color={searching ? "teal" : "gray"} variant="light">
              {searching ? "Live" : "Stopped"}
            </Badge>
          )}
          <Text size="sm" role="status">
            <b>{count(state.matched)}</b> found, {count(state.scanned)} looked at ({bytes(state.bytes)})
            {state.status === "ended" ? ", to the end" : ""}
            {live && behind(state.progress) > 0 ? `, ${count(behind(state.progress))} still to come` : ""}
            {state.matched > state.found.length ? `, the last ${count(state.found.length)} are kept` : ""}
            {state.damaged > 0 ? `, ${count(state.damaged)} damaged batches left out` : ""}
          </Text>
        </Group>
        {searching ? (
          <Button size="xs" variant="default" leftSection={<IconPlayerStop size={14} />} onClick={onStop}>
            Stop
          </Button>
        ) : (
          state.status === "paused" && (
            <Button size="xs" variant="light" leftSection={<IconPlayerPlay size={14} />} onClick={onMore}>
              {live ? "Go on following" : "Go on searching"}
            </Button>
          )
        )}
      </Group>
      {!live && (
        <Progress
          value={state.status === "ended" ? 100 : done * 100}
          size="xs"
          animated={searching}
          aria-label="Part of the topic that was looked at"
        />
      )}
    </Stack>
  );
}
