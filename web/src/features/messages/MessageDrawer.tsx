import { ActionIcon, Alert, Badge, Button, Drawer, Group, Stack, Table, Tabs, Text } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconRepeat } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CopyField } from "@/components/CopyField";
import { bytes, moment, offset } from "@/components/format";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type At, idOf, type Message, messageQuery } from "./api";
import { ContentView } from "./ContentView";
import type { Reading } from "./useDecoders";

interface Props {
  at: At;
  /** The one that is open. */
  message: Message | undefined;
  /** All, in the order in which they are shown. */
  messages: readonly Message[];
  reading: Reading;
  onOpen: (message: Message) => void;
  onClose: () => void;
  onReplay: (message: Message) => void;
}

/** One message, with everything in it. */
export function MessageDrawer({ at, message, messages, reading, onOpen, onClose, onReplay }: Props) {
  const place = message ? messages.findIndex((each) => idOf(each) === idOf(message)) : -1;
  const step = (by: number) => {
    const next = messages[place + by];
    if (next) onOpen(next);
  };
  return (
    <Drawer
      opened={message !== undefined}
      onClose={onClose}
      position="right"
      size="xl"
      title={message ? `Offset ${offset(message.offset)} of partition ${message.partition}` : ""}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {message && (
        <Stack key={idOf(message)}>
          <Group justify="space-between">
            <Group gap={4}>
              <ActionIcon variant="default" aria-label="Message above" disabled={place <= 0} onClick={() => step(-1)}>
                <IconChevronUp size={16} />
              </ActionIcon>
              <ActionIcon
                variant="default"
                aria-label="Message below"
                disabled={place < 0 || place >= messages.length - 1}
                onClick={() => step(1)}
              >
                <IconChevronDown size={16} />
              </ActionIcon>
            </Group>
            <Button variant="default" leftSection={<IconRepeat size={16} />} onClick={() => onReplay(message)}>
              Replay
            </Button>
          </Group>
          <Details at={at} message={message} reading={reading} />
        </Stack>
      )}
    </Drawer>
  );
}

function Details({ at, message, reading }: { at: At; message: Message; reading: Reading }) {
  const [whole, setWhole] = useState(false);
  const loaded = useQuery({ ...messageQuery(at, message.partition, message.offset), enabled: whole });
  const shown = loaded.data ?? message;
  const path = `/v1/clusters/${at.cluster}/topics/${at.topic}/partitions/${message.partition}/records/${message.offset}`;
  return (
    <>
      <Group gap="xs">
        <Badge variant="light" tt="none">
          {moment(shown.timestamp)} ({shown.timestamp_type === "create_time" ? "made" : "appended"})
        </Badge>
        <Badge variant="light" color="gray" tt="none">
          key {bytes(shown.key_bytes)}, value {bytes(shown.value_bytes)}
        </Badge>
        <Badge variant="light" color="gray" tt="none">
          {shown.compression === "none" ? "not compressed" : shown.compression}
        </Badge>
      </Group>
      {shown.truncated && (
        <Alert color="yellow" title="Not all of it is shown">
          <Group justify="space-between">
            <Text size="sm">Large keys and values are cut.</Text>
            {!loaded.data && (
              <Button size="xs" variant="default" loading={loaded.isFetching} onClick={() => setWhole(true)}>
                Load up to 8 MiB
              </Button>
            )}
          </Group>
        </Alert>
      )}
      {loaded.error && <ProblemAlert error={loaded.error} retry={() => void loaded.refetch()} />}
      <Tabs defaultValue="value" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="value">Value</Tabs.Tab>
          <Tabs.Tab value="key">Key</Tabs.Tab>
          <Tabs.Tab value="headers">Headers ({shown.headers.length})</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="value" pt="sm">
          <ContentView label="Value" content={shown.value} usual={reading.value} schemas={reading.schemas} />
        </Tabs.Panel>
        <Tabs.Panel value="key" pt="sm">
          <ContentView label="Key" content={shown.key} usual={reading.key} schemas={reading.schemas} />
        </Tabs.Panel>
        <Tabs.Panel value="headers" pt="sm">
          <Headers message={shown} reading={reading} />
        </Tabs.Panel>
      </Tabs>
      <CopyField value={path} label="path of this message" />
    </>
  );
}

function Headers({ message, reading }: { message: Message; reading: Reading }) {
  const [open, setOpen] = useState<number>();
  const chosen = open === undefined ? undefined : message.headers[open];
  if (message.headers.length === 0) return <Text c="dimmed">It has none.</Text>;
  return (
    <Stack>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Name</Table.Th>
            <Table.Th scope="col">Value</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {message.headers.map(({ key, value }, number) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: names repeat, and the order never changes
            <Table.Tr key={number}>
              <Table.Td className="mono" style={{ overflowWrap: "anywhere" }}>
                {key}
              </Table.Td>
              <Table.Td>
                <Button
                  variant={open === number ? "light" : "subtle"}
                  size="compact-sm"
                  aria-pressed={open === number}
                  onClick={() => setOpen(number)}
                >
                  {value === null || value === undefined ? "none" : "Show"}
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {chosen && (
        <ContentView
          key={open}
          label={`Header ${chosen.key}`}
          content={chosen.value}
          usual="auto"
          schemas={reading.schemas}
        />
      )}
    </Stack>
  );
}
