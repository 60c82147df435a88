import { Badge } from "@mantine/core";
import { IconBan, IconCheck } from "@tabler/icons-react";
import { spoken } from "./words";

interface Props {
  permission: string;
  /** What is allowed or denied; left out: the word itself is shown. */
  operation?: string;
  /** It is only for one address. */
  host?: string;
}

/** Allowed with a tick, denied with a bar, its own border and the word: the colour is only one sign of three. */
export function Permission({ permission, operation, host }: Props) {
  const deny = permission === "deny";
  const what = operation === undefined ? (deny ? "deny" : "allow") : spoken(operation);
  return (
    <Badge
      variant={deny ? "outline" : "light"}
      color={deny ? "red" : "teal"}
      leftSection={deny ? <IconBan size={12} aria-hidden /> : <IconCheck size={12} aria-hidden />}
      tt="none"
      style={{ flexShrink: 0 }}
    >
      {operation !== undefined && deny ? `deny ${what}` : what}
      {host !== undefined && host !== "*" ? ` @${host}` : ""}
    </Badge>
  );
}
