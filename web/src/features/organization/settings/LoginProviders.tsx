import { Button, Group, Modal, Paper, Stack, Text } from "@mantine/core";
import { IconId } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { Card } from "@/components/Card";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { CopyField } from "@/components/CopyField";
import { Empty } from "@/components/Empty";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { type LoginProvider, loginProvidersQuery } from "../api";
import { LoginProviderForm } from "./LoginProviderForm";

/** Where members begin to log in through a provider. */
function loginLink({ id }: LoginProvider): string {
  return `${window.location.origin}/login?provider=${id}`;
}

/** The identity providers through which members log in. */
export function LoginProviders({ organization }: { organization: string }) {
  const providers = useQuery(loginProvidersQuery(organization));
  const [edited, setEdited] = useState<LoginProvider | "new">();
  const [removed, setRemoved] = useState<LoginProvider>();
  const queries = useQueryClient();
  const remove = async () => {
    if (!removed) return;
    const path = { organization, provider: removed.id };
    await got(api.DELETE("/v1/organizations/{organization}/login-providers/{provider}", { params: { path } }));
    await queries.invalidateQueries({ queryKey: loginProvidersQuery(organization).queryKey });
    done(`${removed.name} is removed.`);
  };
  return (
    <Card
      title="Login providers"
      lead="Members log in through your own identity provider by OpenID Connect: Okta, Entra ID, Google, Keycloak and others."
    >
      <Loaded query={providers} lines={2}>
        {(all) => (
          <>
            {all.length === 0 && (
              <Empty icon={IconId} title="There is none">
                <Text c="dimmed">Members log in with their passwords.</Text>
              </Empty>
            )}
            {all.map((provider) => (
              <Provider
                key={provider.id}
                provider={provider}
                edit={() => setEdited(provider)}
                remove={() => setRemoved(provider)}
              />
            ))}
          </>
        )}
      </Loaded>
      <Group>
        <Button variant="default" onClick={() => setEdited("new")}>
          Add a login provider
        </Button>
      </Group>
      <Modal
        opened={edited !== undefined}
        onClose={() => setEdited(undefined)}
        title={edited === "new" ? "Add a login provider" : `Change ${edited?.name ?? ""}`}
        size="lg"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {edited && (
          <LoginProviderForm
            organization={organization}
            provider={edited === "new" ? undefined : edited}
            close={() => setEdited(undefined)}
          />
        )}
      </Modal>
      <ConfirmTyped
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Remove a login provider"
        word={removed?.name ?? ""}
        action="Remove it"
        code={{
          request: { method: "DELETE", path: `/v1/organizations/${organization}/login-providers/${removed?.id}` },
          undeclared: "There is no Terraform resource for login providers.",
        }}
        onConfirm={remove}
      >
        Nobody logs in through it any more. Whoever has no password has to choose one by mail.
      </ConfirmTyped>
    </Card>
  );
}

function Provider({ provider, edit, remove }: { provider: LoginProvider; edit: () => void; remove: () => void }) {
  const { name, issuer, allowed_domains, redirect_uri } = provider;
  return (
    <Paper withBorder p="md" component="article" aria-label={name}>
      <Stack gap="xs">
        <Group justify="space-between" align="flex-start">
          <div>
            <Text fw={600}>{name}</Text>
            <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
              {issuer}
            </Text>
          </div>
          <Group gap="xs">
            <Button size="compact-sm" variant="default" onClick={edit} aria-label={`Change ${name}`}>
              Change
            </Button>
            <Button size="compact-sm" variant="default" onClick={remove} aria-label={`Remove ${name}`}>
              Remove
            </Button>
          </Group>
        </Group>
        <Text size="sm">
          {allowed_domains.length > 0
            ? `Speaks for addresses of ${allowed_domains.join(", ")}.`
            : "Speaks for every address that it has verified."}
        </Text>
        <Text size="sm" c="dimmed">
          Members log in at
        </Text>
        <CopyField label={`${name}'s login link`} value={loginLink(provider)} />
        <Text size="sm" c="dimmed">
          At the provider, set as the redirect URI
        </Text>
        <CopyField label={`${name}'s redirect URI`} value={redirect_uri} />
      </Stack>
    </Paper>
  );
}
