import { Alert, Button, Stack, Tabs, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, got } from "@/api/client";
import type { components } from "@/api/schema";
import { keepCsrfToken } from "@/api/session";
import { AsCode } from "@/components/AsCode";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type OpenedSession, sessionQuery } from "@/shell/session";
import { useWorkspace } from "@/shell/workspace";
import { undeclared } from "./api";
import { Frame } from "./Frame";
import { NewPassword } from "./NewPassword";

type Membership = components["schemas"]["Membership"];

/** Where an invitation's mail leads: for people with an account and without. */
export function InvitationPage() {
  const { token } = useSearch({ from: "/public/invitation" });
  const session = useQuery(sessionQuery);
  if (!token) {
    return (
      <Frame title="This link does not work">
        <Text>It lacks its token. Open it as it stands in the mail, or have yourself invited again.</Text>
      </Frame>
    );
  }
  return (
    <Frame title="You are invited" lead="Accept, and you are a member of the organization that invited you.">
      <Loaded query={session} lines={3}>
        {(known) => (known ? <AsPerson token={token} session={known} /> : <AsStranger token={token} />)}
      </Loaded>
    </Frame>
  );
}

/** Somebody who is logged in. */
function AsPerson({ token, session }: { token: string; session: OpenedSession }) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { choose } = useWorkspace();
  const accept = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const joined = await got(api.POST("/v1/invitations/accept", { body: { token } }));
      await queries.invalidateQueries();
      choose(joined.organization);
      done(`You are a member of ${joined.organization_name}.`);
      await navigate({ to: "/clusters" });
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  };
  const other = async () => {
    try {
      await got(api.DELETE("/v1/sessions/current"));
    } catch (thrown) {
      setError(thrown);
      return;
    }
    keepCsrfToken(undefined);
    queries.setQueryData(sessionQuery.queryKey, null);
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
  };
  return (
    <Stack>
      <Text>
        You are logged in as <b style={{ overflowWrap: "anywhere" }}>{session.person.email}</b>. The invitation must be
        for this address.
      </Text>
      {error !== undefined && <ProblemAlert error={error} />}
      <Button onClick={accept} loading={busy}>
        Accept the invitation
      </Button>
      <AsCode
        request={{ method: "POST", path: "/v1/invitations/accept", body: { token: "…" }, by: "person" }}
        undeclared={undeclared}
      />
      <Button variant="subtle" onClick={other}>
        Log out, to accept as somebody else
      </Button>
    </Stack>
  );
}

/** Somebody who is not: with an account, or without one yet. */
function AsStranger({ token }: { token: string }) {
  const [joined, setJoined] = useState<Membership>();
  if (joined) {
    return (
      <Stack>
        <Alert color="teal" role="status">
          You are a member of <b>{joined.organization_name}</b>. Log in with the invited address and the password that
          you have just chosen.
        </Alert>
        <Button component={Link} to="/login">
          Log in
        </Button>
      </Stack>
    );
  }
  return (
    <Tabs defaultValue="new">
      <Tabs.List grow>
        <Tabs.Tab value="new">I am new here</Tabs.Tab>
        <Tabs.Tab value="known">I have an account</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="new" pt="md">
        <NewPerson token={token} joined={setJoined} />
      </Tabs.Panel>
      <Tabs.Panel value="known" pt="md">
        <Stack>
          <Text>Log in with the address that is invited. You come back here to accept.</Text>
          <Button
            renderRoot={(props) => (
              <Link to="/login" search={{ return_to: `/invitation?token=${encodeURIComponent(token)}` }} {...props} />
            )}
          >
            Log in
          </Button>
        </Stack>
      </Tabs.Panel>
    </Tabs>
  );
}

function NewPerson({ token, joined }: { token: string; joined: (membership: Membership) => void }) {
  const form = useForm({ initialValues: { name: "", password: "" } });
  const { submit, error } = useSubmit(form, async (values) => {
    joined(await got(api.POST("/v1/invitations/accept", { body: { token, ...values } })));
  });
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Your name" autoComplete="name" maxLength={100} required {...form.getInputProps("name")} />
        <NewPassword {...form.getInputProps("password")} />
        {error !== undefined && <ProblemAlert error={error} />}
        <Button type="submit" loading={form.submitting}>
          Join
        </Button>
        <AsCode
          request={{
            method: "POST",
            path: "/v1/invitations/accept",
            body: { token: "…", name: form.values.name, password: "…" },
            by: "anybody",
          }}
          undeclared={undeclared}
        />
      </Stack>
    </form>
  );
}
