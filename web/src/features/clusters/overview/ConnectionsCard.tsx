import { Badge, Group, SegmentedControl, Table, Text } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Ago } from "@/components/Ago";
import { Card } from "@/components/Card";
import { Empty } from "@/components/Empty";
import { bytes, count } from "@/components/format";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { type Connection, connectionsQuery } from "../api";

/** How many rows are drawn: the latest. */
const MOST = 100;

type Which = "open" | "closed" | "all";

/** The clients that are connected, and those that were in the last ten minutes; it goes on by itself. */
export function ConnectionsCard({ cluster }: { cluster: string }) {
  const connections = useQuery(connectionsQuery(cluster));
  const [which, setWhich] = useState<Which>("all");
  return (
    <Card
      title="Connections"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which connections"
          value={which}
          onChange={(value) => setWhich(value as Which)}
          data={[
            { value: "all", label: "All" },
            { value: "open", label: "Open" },
            { value: "closed", label: "Closed lately" },
          ]}
        />
      }
    >
      <Loaded query={connections}>
        {({ items, incomplete, silent_brokers: silent }) => {
          const wanted = items.filter((one) => which === "all" || (which === "closed") === Boolean(one.closed_at));
          return (
            <>
              {wanted.length === 0 ? (
                <Empty icon={IconPlugConnected} title={which === "all" ? "No client has connected lately" : "None"}>
                  <Text size="sm" c="dimmed">
                    Connect one with the settings below: it shows here within seconds, and for ten minutes after it
                    went.
                  </Text>
                </Empty>
              ) : (
                <Rows connections={wanted.slice(0, MOST)} />
              )}
              {(incomplete || wanted.length > MOST) && (
                <Text size="sm" c="dimmed">
                  There are more than are shown here.
                </Text>
              )}
              {silent.length > 0 && (
                <Text size="sm">Not shown: what broker {silent.join(", ")} knows, which does not answer.</Text>
              )}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

const headings = [
  "Client",
  "Principal",
  "From",
  "Login",
  "Since",
  "Last request",
  { label: "Requests", number: true },
  { label: "In and out", number: true },
];

function Rows({ connections }: { connections: Connection[] }) {
  return (
    <Listing label="Table of connections" headings={headings} width={900} height={420}>
      {connections.map((one) => (
        <Row key={one.id} one={one} />
      ))}
    </Listing>
  );
}

function Row({ one }: { one: Connection }) {
  const software = [one.software_name, one.software_version].filter(Boolean).join(" ");
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          <Text size="sm" fw={600} truncate maw={180} title={one.client_id ?? undefined}>
            {one.client_id ?? "–"}
          </Text>
          <Badge
            size="sm"
            variant="outline"
            color={one.closed_at ? "gray" : "teal"}
            tt="none"
            c="var(--mantine-color-text)"
            style={{ flexShrink: 0 }}
          >
            {one.closed_at ? "closed" : "open"}
          </Badge>
        </Group>
        <Text size="xs" c="dimmed">
          {software}
        </Text>
      </Table.Td>
      <Table.Td className="mono" maw={200} style={{ overflowWrap: "anywhere" }}>
        {one.principal}
      </Table.Td>
      <Table.Td className="mono">{one.address}</Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        {one.mechanism}
        <Text size="xs" c="dimmed">
          {one.tls ? "TLS" : "no TLS"}
        </Text>
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        <Ago at={one.opened_at} />
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        {one.last_api ?? "–"}
        <Text size="xs" c="dimmed">
          <Ago at={one.last_request_at} />
        </Text>
      </Table.Td>
      <Table.Td ta="right">{count(one.requests)}</Table.Td>
      <Table.Td ta="right" style={{ whiteSpace: "nowrap" }}>
        {bytes(one.bytes_in)} in
        <Text size="xs" c="dimmed">
          {bytes(one.bytes_out)} out
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}
