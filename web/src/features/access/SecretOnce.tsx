import { Alert, Anchor, Button, Checkbox, Modal, Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { authorityQuery } from "@/api/authority";
import { CodeBlock, CopyField } from "@/components/CopyField";
import type { ClientSettings } from "./api";

/** A secret that was just made. */
export interface Made {
  /** What it is: "API key". */
  what: string;
  secret: string;
  client?: ClientSettings | null;
}

interface Props {
  made: Made | undefined;
  onClose: () => void;
}

/** Shows a secret the one time that it can be shown, and goes when somebody says that they have it. */
export function SecretOnce({ made, onClose }: Props) {
  const [saved, setSaved] = useState(false);
  const close = () => {
    setSaved(false);
    onClose();
  };
  return (
    <Modal
      opened={made !== undefined}
      onClose={close}
      title={`Save your ${made?.what ?? "secret"}`}
      size="lg"
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
    >
      {made && (
        <Stack>
          <Alert icon={<IconKey size={18} />} color="yellow">
            It is shown now and never again: Firn keeps only what it takes to recognize it. Whoever has it acts with it.
          </Alert>
          <Text size="sm" fw={600}>
            {made.what}
          </Text>
          <CopyField value={made.secret} label={made.what} />
          {made.client && <Properties client={made.client} />}
          <Checkbox
            label="I have saved it"
            checked={saved}
            onChange={({ currentTarget }) => setSaved(currentTarget.checked)}
            data-autofocus
          />
          <Button onClick={close} disabled={!saved}>
            Done
          </Button>
        </Stack>
      )}
    </Modal>
  );
}

/** How a client is set to log in with it. */
function Properties({ client }: { client: ClientSettings }) {
  const { data: authority } = useQuery(authorityQuery);
  return (
    <>
      <Text size="sm" fw={600}>
        As client.properties
      </Text>
      <CodeBlock code={properties(client, Boolean(authority))} label="client.properties" />
      {authority && (
        <Text size="sm">
          Save{" "}
          <Anchor href="/v1/certificate-authority" download="firn-ca.pem" inherit underline="always">
            firn-ca.pem
          </Anchor>{" "}
          beside it: clients must trust that authority.
        </Text>
      )}
    </>
  );
}

function properties(client: ClientSettings, authority: boolean): string {
  const module = client.sasl_mechanism.startsWith("SCRAM")
    ? "org.apache.kafka.common.security.scram.ScramLoginModule"
    : "org.apache.kafka.common.security.plain.PlainLoginModule";
  return [
    `bootstrap.servers=${client.bootstrap_servers}`,
    `security.protocol=${client.security_protocol}`,
    `sasl.mechanism=${client.sasl_mechanism}`,
    `sasl.jaas.config=${module} required username="${client.username}" password="${client.password}";`,
    ...(authority ? ["ssl.truststore.type=PEM", "ssl.truststore.location=firn-ca.pem"] : []),
  ].join("\n");
}
