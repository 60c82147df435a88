import { Anchor, Button, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { undeclared } from "./api";
import { Frame } from "./Frame";
import { MailSent } from "./MailSent";
import { NewPassword } from "./NewPassword";

export function SignupPage() {
  const [sent, setSent] = useState<string>();
  const form = useForm({ initialValues: { name: "", organization: "", email: "", password: "" } });
  const { submit, error } = useSubmit(form, async (body) => {
    await got(api.POST("/v1/signup", { body }));
    setSent(body.email);
  });
  if (sent) return <SignedUp email={sent} back={() => setSent(undefined)} />;
  const { name, organization, email } = form.values;
  return (
    <Frame title="Sign up" lead="A Kafka cluster of your own, in about five minutes.">
      <form onSubmit={submit}>
        <Fields form={form} />
        {error !== undefined && <ProblemAlert error={error} />}
        <Button type="submit" loading={form.submitting} fullWidth my="md">
          Sign up
        </Button>
        <AsCode
          request={{
            method: "POST",
            path: "/v1/signup",
            body: { name, organization, email, password: "…" },
            by: "anybody",
          }}
          undeclared={undeclared}
        />
      </form>
      <Text size="sm">
        You have an account?{" "}
        <Anchor component={Link} to="/login" underline="always">
          Log in
        </Anchor>
      </Text>
    </Frame>
  );
}

interface Values {
  name: string;
  organization: string;
  email: string;
  password: string;
}

function Fields({ form }: { form: ReturnType<typeof useForm<Values>> }) {
  return (
    <>
      <TextInput
        label="Your name"
        autoComplete="name"
        maxLength={100}
        required
        mb="sm"
        {...form.getInputProps("name")}
      />
      <TextInput
        label="Organization"
        description="What clusters, people and bills belong to. You can change the name later."
        autoComplete="organization"
        maxLength={100}
        required
        mb="sm"
        {...form.getInputProps("organization")}
      />
      <TextInput
        label="Email address"
        type="email"
        autoComplete="username"
        maxLength={254}
        required
        mb="sm"
        {...form.getInputProps("email")}
      />
      <NewPassword mb="md" {...form.getInputProps("password")} />
    </>
  );
}

function SignedUp({ email, back }: { email: string; back: () => void }) {
  return (
    <MailSent
      email={email}
      resend={() => got(api.POST("/v1/verifications/resend", { body: { email } }))}
      back={back}
      backLabel="Another address"
    >
      Open the link in it, and enter the password that you have just chosen. The link is good for 24 hours.
    </MailSent>
  );
}
