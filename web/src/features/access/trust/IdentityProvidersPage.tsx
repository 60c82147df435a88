import { Badge, Button, Code, Group, Stack, Table, Text } from "@mantine/core";
import { IconAddressBook, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Empty } from "@/components/Empty";
import { Listing, RowActions } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { type IdentityProvider, identityProvidersQuery } from "../api";
import { useClusterId } from "../parts";
import { useChange } from "../saving";
import { IdentityProviderForm } from "./IdentityProviderForm";

/** The issuers whose tokens Kafka clients may log in with. */
export function IdentityProvidersPage() {
  const cluster = useClusterId();
  const providers = useQuery(identityProvidersQuery(cluster));
  const [edited, edit] = useState<string | null>();
  const [going, remove] = useState<IdentityProvider>();
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => edit(null)}>
      Add identity provider
    </Button>
  );
  return (
    <Page
      title="Identity providers"
      lead="Issuers whose tokens Kafka clients may show (OAUTHBEARER). Such clients have no role: ACLs say what they may do."
      actions={create}
    >
      <Loaded query={providers}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={IconAddressBook} title="No client logs in by token here">
              <Text size="sm">
                Add the issuer of your clients' tokens. Tokens of this service itself (POST /v1/tokens) work anyway.
              </Text>
              {create}
            </Empty>
          ) : (
            <Listing
              label="Identity providers"
              headings={["Name", "Issuer and keys", "Audiences", "Name of a client", ""]}
              width={860}
            >
              {items.map((provider) => (
                <Provider
                  key={provider.id}
                  provider={provider}
                  onEdit={() => edit(provider.id)}
                  onDelete={() => remove(provider)}
                />
              ))}
            </Listing>
          )
        }
      </Loaded>
      <IdentityProviderForm cluster={cluster} edited={edited} onClose={() => edit(undefined)} />
      <DeleteProvider cluster={cluster} provider={going} onClose={() => remove(undefined)} />
    </Page>
  );
}

interface ProviderProps {
  provider: IdentityProvider;
  onEdit: () => void;
  onDelete: () => void;
}

function Provider({ provider, onEdit, onDelete }: ProviderProps) {
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={600}>
          {provider.name}
        </Text>
      </Table.Td>
      <Table.Td>
        <Stack gap={2}>
          <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
            {provider.issuer}
          </Text>
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            keys: {provider.jwks_url ?? "where its metadata says"}
          </Text>
        </Stack>
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          {provider.audiences.map((audience) => (
            <Badge key={audience} variant="default" tt="none">
              {audience}
            </Badge>
          ))}
        </Group>
      </Table.Td>
      <Table.Td>
        <Text size="sm">
          claim <Code>{provider.principal_claim}</Code> by <Code>{provider.mapping_rules}</Code>
        </Text>
      </Table.Td>
      <RowActions>
        <Button size="compact-sm" variant="default" onClick={onEdit} aria-label={`Edit ${provider.name}`}>
          Edit
        </Button>
        <Button size="compact-sm" variant="default" onClick={onDelete} aria-label={`Delete ${provider.name}`}>
          Delete
        </Button>
      </RowActions>
    </Table.Tr>
  );
}

interface DeleteProps {
  cluster: string;
  provider: IdentityProvider | undefined;
  onClose: () => void;
}

function DeleteProvider({ cluster, provider, onClose }: DeleteProps) {
  const deletion = useChange({
    send: (identity_provider: string) => {
      const params = { path: { cluster, identity_provider }, header: { "If-Match": "*" } };
      return got(api.DELETE("/v1/clusters/{cluster}/identity-providers/{identity_provider}", { params }));
    },
    touches: [["identity-providers", cluster]],
    said: "The identity provider is deleted",
  });
  if (!provider) return null;
  return (
    <ConfirmTyped
      opened
      onClose={onClose}
      title="Delete identity provider"
      word={provider.name}
      action="Delete identity provider"
      code={{
        request: { method: "DELETE", path: `/v1/clusters/${cluster}/identity-providers/${provider.id}` },
        removed: { type: "firn_identity_provider", name: provider.name },
      }}
      onConfirm={() => deletion.mutateAsync(provider.id)}
    >
      Its tokens count no longer, and connections that have shown one are closed at once.
    </ConfirmTyped>
  );
}
