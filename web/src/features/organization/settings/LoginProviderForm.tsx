import { Button, PasswordInput, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { CopyField } from "@/components/CopyField";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type LoginProvider, loginProvidersQuery } from "../api";

interface Props {
  organization: string;
  /** The one that changes; absent: a new one. */
  provider: LoginProvider | undefined;
  close: () => void;
}

interface Values extends Record<string, unknown> {
  name: string;
  issuer: string;
  client_id: string;
  client_secret: string;
  allowed_domains: string[];
}

async function save(organization: string, provider: LoginProvider | undefined, values: Values): Promise<void> {
  if (!provider) {
    const params = { path: { organization } };
    await got(api.POST("/v1/organizations/{organization}/login-providers", { body: values, params }));
    return;
  }
  const { client_secret, ...others } = values;
  const body = client_secret ? { ...others, client_secret } : others;
  const params = { path: { organization, provider: provider.id }, header: { "If-Match": "*" } };
  await got(api.PATCH("/v1/organizations/{organization}/login-providers/{provider}", { body, params }));
}

/** A provider that is added or changed. Its secret is never shown again. */
export function LoginProviderForm({ organization, provider, close }: Props) {
  const queries = useQueryClient();
  const form = useForm<Values>({
    initialValues: {
      name: provider?.name ?? "",
      issuer: provider?.issuer ?? "",
      client_id: provider?.client_id ?? "",
      client_secret: "",
      allowed_domains: provider?.allowed_domains ?? [],
    },
  });
  const { submit, error } = useSubmit(form, async (values) => {
    await save(organization, provider, values);
    await queries.invalidateQueries({ queryKey: loginProvidersQuery(organization).queryKey });
    done(provider ? `${values.name} is changed.` : `${values.name} is added. Give your members its login link.`);
    close();
  });
  const path = `/v1/organizations/${organization}/login-providers`;
  return (
    <form onSubmit={submit}>
      <Stack>
        <Fields form={form} known={provider !== undefined} />
        <Text size="sm" c="dimmed">
          At the provider, set as the redirect URI
        </Text>
        <CopyField label="the redirect URI" value={`${window.location.origin}/v1/oidc/callback`} />
        {error !== undefined && <ProblemAlert error={error} />}
        <Button type="submit" loading={form.submitting}>
          {provider ? "Save" : "Add it"}
        </Button>
        <AsCode
          request={{
            method: provider ? "PATCH" : "POST",
            path: provider ? `${path}/${provider.id}` : path,
            body: { ...form.values, client_secret: "…" },
          }}
          undeclared="There is no Terraform resource for login providers."
        />
      </Stack>
    </form>
  );
}

function Fields({ form, known }: { form: ReturnType<typeof useForm<Values>>; known: boolean }) {
  return (
    <>
      <TextInput
        label="Name"
        description="As members see it."
        placeholder="Okta"
        maxLength={100}
        required
        data-autofocus
        {...form.getInputProps("name")}
      />
      <TextInput
        label="Issuer"
        description="Exactly as the provider's tokens name it."
        placeholder="https://login.example.com"
        type="url"
        maxLength={500}
        required
        spellCheck={false}
        {...form.getInputProps("issuer")}
      />
      <TextInput
        label="Client id"
        maxLength={500}
        required
        autoComplete="off"
        spellCheck={false}
        {...form.getInputProps("client_id")}
      />
      <PasswordInput
        label="Client secret"
        {...(known ? { description: "Empty: it stays as it is. Another issuer needs its own." } : {})}
        maxLength={500}
        required={!known}
        autoComplete="off"
        visibilityToggleButtonProps={{ "aria-label": "Show or hide what is typed" }}
        {...form.getInputProps("client_secret")}
      />
      <TagsInput
        label="Domains"
        description="Of the addresses that the provider speaks for; none: every address that it has verified."
        placeholder="example.com"
        maxTags={20}
        splitChars={[",", " "]}
        {...form.getInputProps("allowed_domains")}
      />
    </>
  );
}
