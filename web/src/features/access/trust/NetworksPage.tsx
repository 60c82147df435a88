import { Alert, Button, Code, Group, Paper, Stack, Text, Textarea } from "@mantine/core";
import { IconAlertTriangle, IconWorld } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { networksQuery } from "../api";
import { useClusterId } from "../parts";
import { faultAt, useChange } from "../saving";
import { isIn } from "./addresses";

/** From where Kafka clients of a cluster may come. */
export function NetworksPage() {
  const cluster = useClusterId();
  const networks = useQuery(networksQuery(cluster));
  return (
    <Page
      title="Networks"
      lead="From where Kafka clients may come. Those from elsewhere are refused like those with a wrong password, also those that are connected now. This console and REST go by the organization's networks."
    >
      <Loaded query={networks}>
        {({ value, etag }) => (
          <Form key={etag} cluster={cluster} start={value.networks} address={value.your_address} etag={etag} />
        )}
      </Loaded>
    </Page>
  );
}

interface Props {
  cluster: string;
  start: readonly string[];
  address: string | null | undefined;
  etag: string;
}

function Form({ cluster, start, address, etag }: Props) {
  const [text, setText] = useState(start.join("\n"));
  const networks = text
    .split(/[\s,]+/)
    .map((line) => line.trim())
    .filter(Boolean);
  const save = useChange({
    send: (networks: string[]) =>
      got(
        api.PUT("/v1/clusters/{cluster}/networks", {
          params: { path: { cluster }, header: { "If-Match": etag } },
          body: { networks },
        }),
      ),
    touches: [["networks", cluster]],
    said: "The networks are in force",
  });
  const wrong = networks.filter((network) => isIn(network, "0.0.0.0") === undefined);
  const add = () => setText([text.trim(), address].filter(Boolean).join("\n"));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(networks);
      }}
    >
      <Stack maw={760}>
        {start.length === 0 && (
          <Alert variant="light" icon={<IconWorld size={18} />}>
            No network is set: clients may come from anywhere. Name those that yours are in.
          </Alert>
        )}
        <Textarea
          label="Networks"
          description="One a line: an address, or ADDRESS/BITS, IPv4 or IPv6; at most 100. Empty: from anywhere"
          placeholder={"192.0.2.0/24\n2001:db8::/32"}
          autosize
          minRows={5}
          maxRows={20}
          value={text}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
          spellCheck={false}
          classNames={{ input: "mono" }}
          error={
            wrong.length > 0 ? `This is no network: ${wrong.slice(0, 3).join(", ")}` : faultAt(save.error, "/networks")
          }
        />
        <Own address={address} networks={networks} onAdd={add} />
        {save.error && <ProblemAlert error={save.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending} disabled={wrong.length > 0}>
            Save networks
          </Button>
        </Group>
        <AsCode
          request={{ method: "PUT", path: `/v1/clusters/${cluster}/networks`, body: { networks } }}
          undeclared="There is no Terraform resource for a cluster's networks."
        />
      </Stack>
    </form>
  );
}

interface OwnProps {
  address: string | null | undefined;
  networks: readonly string[];
  onAdd: () => void;
}

/** Where you are yourself, and whether that is in. */
function Own({ address, networks, onAdd }: OwnProps) {
  if (!address) return null;
  const out = networks.length > 0 && !networks.some((network) => isIn(network, address));
  if (!out)
    return (
      <Paper>
        <Text size="sm" c="dimmed">
          Your own address is <Code>{address}</Code>
          {networks.length > 0 && ", which is in"}.
        </Text>
      </Paper>
    );
  return (
    <Alert color="orange" icon={<IconAlertTriangle size={18} />} title="Your own address is not in">
      <Text size="sm">
        Kafka clients on <Code>{address}</Code>, where you are now, will be refused, and those connected are cut off.
      </Text>
      <Button size="xs" mt="xs" variant="default" onClick={onAdd}>
        Add {address}
      </Button>
    </Alert>
  );
}
