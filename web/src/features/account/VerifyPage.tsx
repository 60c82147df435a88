import { Alert, Anchor, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, got } from "@/api/client";
import { asProblem } from "@/api/problem";
import { AsCode } from "@/components/AsCode";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { undeclared, useOpened } from "./api";
import { Frame } from "./Frame";
import { DevMail } from "./MailSent";

/** Where the mail after a signup leads: the token proves the address, the password who has signed up. */
export function VerifyPage() {
  const { token } = useSearch({ from: "/public/verify" });
  return token ? (
    <Verify token={token} />
  ) : (
    <Resend
      title="Confirm your address"
      lead="The mail that we sent you holds a link. Open it, or have it sent again."
    />
  );
}

function Verify({ token }: { token: string }) {
  const opened = useOpened();
  const navigate = useNavigate();
  const form = useForm({ initialValues: { password: "" } });
  const { submit, error } = useSubmit(form, async ({ password }) => {
    opened(await got(api.POST("/v1/verifications", { body: { token, password } })));
    await navigate({ to: "/start" });
  });
  const dead = error !== undefined && ["not_found", "gone"].includes(asProblem(error).code);
  if (dead) {
    const lead = "It has been used, or is too old, or a newer mail has replaced it.";
    return <Resend title="This link does not work" lead={lead} error={error} />;
  }
  return (
    <Frame title="Confirm your address" lead="Enter the password that you chose when you signed up.">
      <form onSubmit={submit}>
        <Stack>
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            data-autofocus
            visibilityToggleButtonProps={{ "aria-label": "Show or hide what is typed" }}
            {...form.getInputProps("password")}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <Button type="submit" loading={form.submitting}>
            Confirm and go on
          </Button>
          <AsCode
            request={{
              method: "POST",
              path: "/v1/verifications",
              body: { token: "…", password: "…" },
              by: "anybody",
            }}
            undeclared={undeclared}
          />
        </Stack>
      </form>
      <Text size="sm" c="dimmed">
        Each signup has its own mail. If you signed up more than once, use the newest.
      </Text>
    </Frame>
  );
}

function Resend({ title, lead, error: why }: { title: string; lead: string; error?: unknown }) {
  const [told, setTold] = useState<string>();
  const form = useForm({ initialValues: { email: "" } });
  const { submit, error } = useSubmit(form, async (body) => {
    setTold((await got(api.POST("/v1/verifications/resend", { body }))).detail);
  });
  return (
    <Frame title={title} lead={lead}>
      {why !== undefined && <ProblemAlert error={why} />}
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Email address"
            description="We send you a new link, if the address waits for one."
            type="email"
            autoComplete="username"
            required
            {...form.getInputProps("email")}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          {told && <Alert role="status">{told}</Alert>}
          <Button type="submit" loading={form.submitting}>
            Send a new link
          </Button>
          <AsCode
            request={{ method: "POST", path: "/v1/verifications/resend", body: form.values, by: "anybody" }}
            undeclared={undeclared}
          />
        </Stack>
      </form>
      {told && <DevMail email={form.values.email} />}
      <Text size="sm">
        Confirmed already?{" "}
        <Anchor component={Link} to="/login" underline="always">
          Log in
        </Anchor>
      </Text>
    </Frame>
  );
}
