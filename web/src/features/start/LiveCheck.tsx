import { Group, Loader, Stack, Table, Text, ThemeIcon } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { moment } from "@/components/format";
import { Listing } from "@/components/Listing";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type Connection, connectionQuery, messagesQuery, type Record, text } from "./api";
import type { Ready } from "./prepare";
import { Step } from "./Step";

/** Shows the first connection and the first messages as they come. */
export function LiveCheck({ ready }: { ready: Ready }) {
  const connection = useQuery(connectionQuery(ready));
  const messages = useQuery(messagesQuery(ready));
  const arrived = (messages.data?.length ?? 0) > 0;
  const error = connection.error ?? messages.error;
  return (
    <Step number={3} title="See it arrive" done={Boolean(connection.data) && arrived}>
      <Stack aria-live="polite">
        <Line done={Boolean(connection.data)} name="First connection">
          {connection.data ? <Client connection={connection.data} /> : "Waiting for your program to connect…"}
        </Line>
        <Line done={arrived} name="First message">
          {arrived ? "It is stored, and can be read." : `Waiting for a message in “${ready.connection.topic}”…`}
        </Line>
        {arrived && <Messages records={messages.data ?? []} />}
        {connection.data && arrived && (
          <Text fw={600}>That is all it takes: your program and your cluster talk to each other.</Text>
        )}
      </Stack>
      {error && <ProblemAlert error={error} />}
    </Step>
  );
}

function Line({ done, name, children }: { done: boolean; name: string; children: ReactNode }) {
  return (
    <Group wrap="nowrap" align="flex-start" role="group" aria-label={name}>
      {done ? (
        <ThemeIcon color="teal.9" radius="xl" size={24}>
          <IconCheck size={16} />
        </ThemeIcon>
      ) : (
        <Loader size={24} type="dots" aria-hidden />
      )}
      <div>
        <Text fw={600}>{done ? `${name}: here it is` : name}</Text>
        <Text size="sm" c="dimmed">
          {children}
        </Text>
      </div>
    </Group>
  );
}

function Client({ connection }: { connection: Connection }) {
  const { software_name, software_version, client_id, address, tls, opened_at } = connection;
  const software = [software_name ?? client_id ?? "A client", software_version].filter(Boolean).join(" ");
  return (
    <>
      {software} from {address}
      {tls ? ", over TLS" : ""}, at {moment(opened_at)}
    </>
  );
}

function Messages({ records }: { records: Record[] }) {
  return (
    <Listing label="Newest messages" headings={["Offset", "Time", "Value"]} width={280}>
      {records.map((record) => (
        <Table.Tr key={`${record.partition} ${record.offset}`}>
          <Table.Td className="mono">{record.offset}</Table.Td>
          <Table.Td>{moment(record.timestamp)}</Table.Td>
          <Table.Td className="mono" style={{ overflowWrap: "anywhere" }}>
            {text(record.value)}
          </Table.Td>
        </Table.Tr>
      ))}
    </Listing>
  );
}
