import { Alert, Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useSearch } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { Card } from "@/components/Card";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { undeclared } from "./api";
import { LinkedLogins } from "./LinkedLogins";
import { ProviderFailed } from "./ProviderFailed";

/** The id in what an administrator hands out: the id itself, or a link that has it. */
function providerIn(text: string): string | undefined {
  return /idp_[a-h][a-z2-7]{25}/.exec(text)?.[0];
}

/** Logging in through an organization's provider: begins the link, which takes the account's password. */
export function LoginProviders() {
  const { link = "", linked, failed, request, provider = "" } = useSearch({ from: "/app/profile" });
  const form = useForm({
    initialValues: { provider: link || provider, password: "" },
    validate: { provider: (text) => (providerIn(text) ? null : "It is neither a login link nor a provider's id.") },
  });
  const { submit, error } = useSubmit(form, async ({ provider, password }) => {
    const body = { provider: providerIn(provider) ?? "", password, return_to: "/profile?linked=yes" };
    const { authorization_url } = await got(api.POST("/v1/oidc/links", { body }));
    // An address of the provider's choice, but never a script.
    if (!/^https?:\/\//i.test(authorization_url))
      throw new Error("The login provider has no address that can be opened.");
    window.location.assign(authorization_url);
  });
  return (
    <Card title="Login providers">
      <form onSubmit={submit}>
        <Stack>
          <ProviderFailed failed={failed} request={request} provider={undefined} title="It is not linked" />
          {linked && (
            <Alert color="teal" role="status">
              The login provider is linked: it logs you in from now on.
            </Alert>
          )}
          <LinkedLogins />
          <Text size="sm" c="dimmed">
            Log in through your organization's identity provider instead of with your password. You go there once to
            show who you are; a change of your password takes the link back.
          </Text>
          <TextInput
            label="Login link or provider's id"
            description="Your administrator has it, under Organization, Settings."
            placeholder="idp_…"
            required
            autoComplete="off"
            spellCheck={false}
            {...form.getInputProps("provider")}
          />
          <PasswordInput
            label="Your password"
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={{ "aria-label": "Show or hide what is typed" }}
            {...form.getInputProps("password")}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <Group>
            <Button type="submit" variant="default" loading={form.submitting}>
              Link it
            </Button>
          </Group>
          <AsCode
            request={{
              method: "POST",
              path: "/v1/oidc/links",
              body: { provider: providerIn(form.values.provider) ?? "", password: "…", return_to: "/profile" },
              by: "person",
            }}
            undeclared={undeclared}
          />
        </Stack>
      </form>
    </Card>
  );
}
