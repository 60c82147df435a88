import { Anchor, Badge, Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import type { components } from "@/api/schema";
import { AsCode } from "@/components/AsCode";
import { Card } from "@/components/Card";
import { CopyField } from "@/components/CopyField";
import { moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { sessionQuery } from "@/shell/session";
import { meQuery, undeclared } from "./api";
import { LoginProviders } from "./LoginProviders";
import { NewPassword } from "./NewPassword";

type Me = components["schemas"]["Me"];

export function ProfilePage() {
  const me = useQuery(meQuery);
  return (
    <Page title="Profile" lead="Who you are to your organizations, and how you log in.">
      <Loaded query={me}>
        {({ value, etag }) => (
          <Stack maw={640}>
            <Person me={value} etag={etag} />
            <Password me={value} />
            <LoginProviders />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Person({ me, etag }: { me: Me; etag: string }) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { name: me.name } });
  const { submit, error } = useSubmit(form, async (body) => {
    await got(api.PATCH("/v1/me", { body, params: { header: { "If-Match": etag } } }));
    await Promise.all([
      queries.invalidateQueries({ queryKey: meQuery.queryKey }),
      queries.invalidateQueries({ queryKey: sessionQuery.queryKey }),
    ]);
    form.resetDirty();
    done("Your name is changed.");
  });
  return (
    <Card title="You">
      <form onSubmit={submit}>
        <Stack>
          <Group gap="xs">
            <Text style={{ overflowWrap: "anywhere" }}>{me.email}</Text>
            {me.verified_at ? (
              <Badge color="teal" variant="light">
                Confirmed
              </Badge>
            ) : (
              <Badge color="gray" variant="light">
                Not confirmed
              </Badge>
            )}
          </Group>
          <Text size="sm" c="dimmed">
            With us since {moment(me.created_at)}. The address is what you log in with; it does not change.
          </Text>
          <CopyField label="your id" value={me.id} />
          <TextInput label="Name" autoComplete="name" maxLength={100} required {...form.getInputProps("name")} />
          {error !== undefined && <ProblemAlert error={error} />}
          <Group>
            <Button type="submit" loading={form.submitting} disabled={!form.isDirty()}>
              Save the name
            </Button>
          </Group>
          <AsCode
            request={{ method: "PATCH", path: "/v1/me", body: { name: form.values.name }, by: "person" }}
            undeclared={undeclared}
          />
        </Stack>
      </form>
    </Card>
  );
}

function Password({ me }: { me: Me }) {
  if (!me.has_password) {
    return (
      <Card title="Password">
        <Text>
          You log in through a login provider only.{" "}
          <Anchor component={Link} to="/reset" underline="always">
            Choose a password by mail
          </Anchor>{" "}
          to log in without it, too.
        </Text>
      </Card>
    );
  }
  return <ChangePassword email={me.email} />;
}

function ChangePassword({ email }: { email: string }) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { current_password: "", new_password: "" } });
  const { submit, error } = useSubmit(form, async (body) => {
    await got(api.POST("/v1/me/password", { body }));
    form.reset();
    await queries.invalidateQueries({ queryKey: ["sessions"] });
    done("Your password is changed. All your other sessions have ended.");
  });
  return (
    <Card title="Password">
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm" c="dimmed">
            Another password ends all your other sessions, and unlinks login providers.
          </Text>
          <input type="hidden" autoComplete="username" value={email} readOnly />
          <PasswordInput
            label="Current password"
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={{ "aria-label": "Show or hide what is typed" }}
            {...form.getInputProps("current_password")}
          />
          <NewPassword label="New password" {...form.getInputProps("new_password")} />
          {error !== undefined && <ProblemAlert error={error} />}
          <Group>
            <Button type="submit" loading={form.submitting}>
              Change the password
            </Button>
          </Group>
          <AsCode
            request={{
              method: "POST",
              path: "/v1/me/password",
              body: { current_password: "…", new_password: "…" },
              by: "person",
            }}
            undeclared={undeclared}
          />
        </Stack>
      </form>
    </Card>
  );
}
