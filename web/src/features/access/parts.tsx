/** What several pages of access show. */
import { Anchor, Badge, Group, Modal, type ModalProps, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconClock } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import { Copy } from "@/components/CopyField";
import { moment } from "@/components/format";
import { accountName, type ServiceAccount } from "./api";

/** The cluster whose page this is. */
export function useClusterId(): string {
  return useParams({ strict: false }).cluster ?? "";
}

/** A dialog with a form in it. */
export function Dialog(props: ModalProps) {
  return <Modal size="lg" closeButtonProps={{ "aria-label": "Close" }} {...props} />;
}

interface IdProps {
  id: string;
  what: string;
  /** What is copied, where the id is shown in part. */
  copied?: string;
}

/** An id, to read and to copy. */
export function Id({ id, what, copied = id }: IdProps) {
  return (
    <Group gap={2} wrap="nowrap">
      <Text ff="monospace" size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }}>
        {id}
        {copied !== id && "…"}
      </Text>
      <Copy value={copied} label={`Copy ${what}`} />
    </Group>
  );
}

/** Who somebody is: a service account by its name, anybody else as Kafka writes them. */
export function PrincipalName({ principal, accounts }: { principal: string; accounts: readonly ServiceAccount[] }) {
  const name = accountName(principal, accounts);
  if (principal === "User:*") return <Text size="sm">Everybody</Text>;
  if (name === undefined)
    return (
      <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
        {principal}
      </Text>
    );
  const account = principal.slice("User:".length);
  return (
    <Stack gap={0}>
      <Anchor
        size="sm"
        renderRoot={(props) => <Link {...props} to="/service-accounts/$account" params={{ account }} />}
      >
        {name}
      </Anchor>
      <Text size="xs" c="dimmed" ff="monospace" truncate maw={200} title={principal}>
        {account}
      </Text>
    </Stack>
  );
}

const soon = 7 * 86_400_000;

/** Until when something holds, with a warning in its last week. */
export function Expiry({ at }: { at: string | null | undefined }) {
  if (!at) return <Text size="sm">never</Text>;
  const left = new Date(at).getTime() - Date.now();
  return (
    <Group gap={6} wrap="nowrap">
      <Text size="sm" style={{ whiteSpace: "nowrap" }}>
        {moment(at)}
      </Text>
      {left <= 0 && (
        <Badge color="red" variant="outline" leftSection={<IconAlertTriangle size={12} />}>
          expired
        </Badge>
      )}
      {left > 0 && left < soon && (
        <Badge color="orange" variant="outline" leftSection={<IconClock size={12} />}>
          soon
        </Badge>
      )}
    </Group>
  );
}
