import { Alert, Anchor, Button, Group, Text } from "@mantine/core";
import { IconMail, IconTool } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { devMailQuery } from "./api";
import { Frame } from "./Frame";

interface Props {
  email: string;
  /** What the mail is for, and how long it is good. */
  children: ReactNode;
  /** Has the mail sent again. */
  resend: () => Promise<{ detail: string }>;
  /** Back to the form. */
  back: () => void;
  backLabel: string;
}

/** After a mail was sent: what to do now, and what to do if it does not come. */
export function MailSent({ email, children, resend, back, backLabel }: Props) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const again = async () => {
    setBusy(true);
    setError(undefined);
    try {
      done((await resend()).detail);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Frame title="Look into your mail">
      <Alert icon={<IconMail size={18} />} role="status">
        A mail is on its way to <b style={{ overflowWrap: "anywhere" }}>{email}</b>. {children}
      </Alert>
      <DevMail email={email} />
      <Text size="sm" c="dimmed">
        Nothing there? Look into the spam folder, check that the address is spelled right, or have it sent again.
      </Text>
      {error !== undefined && <ProblemAlert error={error} />}
      <Group>
        <Button variant="default" onClick={again} loading={busy}>
          Send it again
        </Button>
        <Button variant="subtle" onClick={back}>
          {backLabel}
        </Button>
      </Group>
    </Frame>
  );
}

/** Where the mail is, in a service that sends none. */
export function DevMail({ email }: { email?: string }) {
  const { data: there } = useQuery(devMailQuery);
  if (!there) return null;
  const to = email ? `?to=${encodeURIComponent(email)}` : "";
  return (
    <Alert color="gray" icon={<IconTool size={18} />}>
      This is a service for development: it sends no mail.{" "}
      <Anchor href={`/dev/mail${to}`} target="_blank" rel="noreferrer" underline="always" size="sm">
        Read it at /dev/mail
      </Anchor>
    </Alert>
  );
}
