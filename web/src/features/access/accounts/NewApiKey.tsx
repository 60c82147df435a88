import { Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { expression } from "@/components/code";
import { ProblemAlert } from "@/components/ProblemAlert";
import type { Cluster } from "@/shell/workspace";
import type { ServiceAccount } from "../api";
import { ExpiryField } from "../ExpiryField";
import { Dialog } from "../parts";
import type { Made } from "../SecretOnce";
import { faultAt, useChange } from "../saving";

interface Props {
  account: ServiceAccount;
  clusters: readonly Cluster[];
  opened: boolean;
  onClose: () => void;
  onMade: (made: Made) => void;
}

/** Makes a key for REST alone, or for a cluster's Kafka clients too. */
export function NewApiKey({ opened, onClose, ...rest }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title="Create API key">
      <Form {...rest} onClose={onClose} />
    </Dialog>
  );
}

interface Values {
  name: string;
  cluster: string;
  expires_at: string | undefined;
}

function bodyOf(service_account: string, { name, cluster, expires_at }: Values) {
  return {
    service_account,
    ...(name.trim() ? { name: name.trim() } : {}),
    ...(cluster ? { cluster } : {}),
    ...(expires_at ? { expires_at } : {}),
  };
}

function Form({ account, clusters, onClose, onMade }: Omit<Props, "opened">) {
  const form = useForm<Values>({ initialValues: { name: "", cluster: "", expires_at: undefined } });
  const body = bodyOf(account.id, form.values);
  const create = useChange({
    send: (body: ReturnType<typeof bodyOf>) => got(api.POST("/v1/api-keys", { body })),
    touches: [["api-keys", account.id]],
    onDone: ({ secret, client }) => {
      onClose();
      if (secret) onMade({ what: "API key", secret, client: client ?? null });
    },
  });
  const places = [
    { value: "", label: "REST alone: curl, Terraform" },
    ...clusters.map(({ id, name }) => ({ value: id, label: `Kafka and REST, in ${name}` })),
  ];
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(bodyOf(account.id, values)))}>
      <Stack>
        <TextInput
          label="Name"
          description="So that you know it again: where the key is kept"
          maxLength={100}
          autoComplete="off"
          data-autofocus
          {...form.getInputProps("name")}
          error={faultAt(create.error, "/name")}
        />
        <Select
          label="For"
          data={places}
          allowDeselect={false}
          {...form.getInputProps("cluster")}
          error={faultAt(create.error, "/cluster")}
        />
        <ExpiryField
          value={form.values.expires_at}
          onChange={(at) => form.setFieldValue("expires_at", at)}
          error={faultAt(create.error, "/expires_at")}
        />
        {create.error && <ProblemAlert error={create.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={create.isPending}>
            Create API key
          </Button>
        </Group>
        <AsCode
          request={{ method: "POST", path: "/v1/api-keys", body }}
          resource={{
            type: "firn_api_key",
            name: form.values.name || account.name,
            attributes: {
              service_account: account.id,
              cluster: body.cluster,
              name: body.name,
              expires_at: body.expires_at,
              secret_wo: expression("var.api_key_secret"),
              secret_wo_version: 1,
            },
          }}
        />
      </Stack>
    </form>
  );
}
