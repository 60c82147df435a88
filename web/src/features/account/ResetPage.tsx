import { Anchor, Button, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, got } from "@/api/client";
import { asProblem } from "@/api/problem";
import { AsCode } from "@/components/AsCode";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { undeclared } from "./api";
import { Frame } from "./Frame";
import { MailSent } from "./MailSent";
import { NewPassword } from "./NewPassword";

/** Without a token: asks for the mail. With one: a new password. */
export function ResetPage() {
  const { token } = useSearch({ from: "/public/reset" });
  return token ? <Choose token={token} /> : <Ask />;
}

function Ask() {
  const [sent, setSent] = useState<string>();
  const form = useForm({ initialValues: { email: "" } });
  const ask = (email: string) => got(api.POST("/v1/password-resets", { body: { email } }));
  const { submit, error } = useSubmit(form, async ({ email }) => {
    await ask(email);
    setSent(email);
  });
  if (sent) {
    return (
      <MailSent email={sent} resend={() => ask(sent)} back={() => setSent(undefined)} backLabel="Another address">
        If the address has an account, open the link in the mail. It is good for one hour.
      </MailSent>
    );
  }
  return (
    <Frame title="Choose a new password" lead="We mail you a link that lets you choose one.">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Email address"
            type="email"
            autoComplete="username"
            required
            {...form.getInputProps("email")}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <Button type="submit" loading={form.submitting}>
            Send me the link
          </Button>
          <AsCode
            request={{ method: "POST", path: "/v1/password-resets", body: form.values, by: "anybody" }}
            undeclared={undeclared}
          />
        </Stack>
      </form>
      <Text size="sm">
        You know it after all?{" "}
        <Anchor component={Link} to="/login" underline="always">
          Log in
        </Anchor>
      </Text>
    </Frame>
  );
}

function Choose({ token }: { token: string }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { password: "", again: "" },
    validate: { again: (again, { password }) => (again === password ? null : "The two passwords differ.") },
  });
  const { submit, error } = useSubmit(form, async ({ password }) => {
    await got(api.POST("/v1/password-resets/complete", { body: { token, password } }));
    queries.clear();
    done("Your password is changed. Log in with the new one.");
    await navigate({ to: "/login" });
  });
  const dead = error !== undefined && ["not_found", "gone"].includes(asProblem(error).code);
  return (
    <Frame
      title="Choose a new password"
      lead="It ends all your sessions, and login providers that were linked to your account are not any more."
    >
      <form onSubmit={submit}>
        <Stack>
          <NewPassword label="New password" {...form.getInputProps("password")} />
          <NewPassword label="New password, again" description={null} {...form.getInputProps("again")} />
          {error !== undefined && <ProblemAlert error={error} />}
          <Button type="submit" loading={form.submitting}>
            Change the password
          </Button>
          <AsCode
            request={{
              method: "POST",
              path: "/v1/password-resets/complete",
              body: { token: "…", password: "…" },
              by: "anybody",
            }}
            undeclared={undeclared}
          />
        </Stack>
      </form>
      {dead && (
        <Text size="sm">
          The link has been used or is too old.{" "}
          <Anchor component={Link} to="/reset" underline="always">
            Have a new one sent
          </Anchor>
        </Text>
      )}
    </Frame>
  );
}
