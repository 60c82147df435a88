import { Anchor, Button, Divider, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useLocalStorage } from "@mantine/hooks";
import { IconId } from "@tabler/icons-react";
import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import { asProblem } from "@/api/problem";
import { AsCode } from "@/components/AsCode";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { undeclared, useOpened } from "./api";
import { Frame } from "./Frame";
import { ProviderFailed } from "./ProviderFailed";

export function LoginPage() {
  const { return_to, provider, failed, request } = useSearch({ from: "/public/login" });
  const router = useRouter();
  const opened = useOpened();
  const form = useForm({ initialValues: { email: "", password: "" } });
  const { submit, error } = useSubmit(form, async (body) => {
    opened(await got(api.POST("/v1/sessions", { body })));
    router.history.push(return_to ?? "/clusters");
  });
  const unverified = error !== undefined && asProblem(error).code === "login_failed";
  return (
    <Frame title="Log in">
      <ProviderFailed failed={failed} request={request} provider={provider} />
      <ThroughProvider provider={provider} returnTo={return_to} />
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Email address"
            type="email"
            autoComplete="username"
            required
            {...form.getInputProps("email")}
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={{ "aria-label": "Show or hide what is typed" }}
            {...form.getInputProps("password")}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          {unverified && (
            <Text size="sm">
              Signed up, but not confirmed yet?{" "}
              <Anchor component={Link} to="/verify" underline="always">
                Have the mail sent again
              </Anchor>
            </Text>
          )}
          <Button type="submit" loading={form.submitting}>
            Log in
          </Button>
          <AsCode
            request={{
              method: "POST",
              path: "/v1/sessions",
              body: { email: form.values.email, password: "…" },
              by: "anybody",
            }}
            undeclared={undeclared}
          />
        </Stack>
      </form>
      <Group justify="space-between">
        <Anchor component={Link} to="/reset" size="sm">
          Forgot your password?
        </Anchor>
        <Text size="sm">
          New here?{" "}
          <Anchor component={Link} to="/signup" underline="always">
            Sign up
          </Anchor>
        </Text>
      </Group>
    </Frame>
  );
}

/** The way through the organization's own login provider: where the link to here names one, or the last login went through one. */
function ThroughProvider({ provider, returnTo }: { provider: string | undefined; returnTo: string | undefined }) {
  const [last, setLast] = useLocalStorage<string>({
    key: "firn.login-provider",
    defaultValue: "",
    getInitialValueInEffect: false,
  });
  const id = provider ?? last;
  if (!id) return null;
  const query = new URLSearchParams({ provider: id, return_to: returnTo ?? "/clusters" });
  return (
    <>
      <Button
        component="a"
        href={`/v1/oidc/start?${query}`}
        variant={provider ? "filled" : "default"}
        leftSection={<IconId size={18} />}
        onClick={() => setLast(id)}
      >
        Log in with your organization
      </Button>
      <Divider label="or with a password" labelPosition="center" />
    </>
  );
}
