import { Anchor, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { Link } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { expression } from "@/components/code";
import { ProblemAlert } from "@/components/ProblemAlert";
import { accountName, type ScramCredential, type ServiceAccount } from "../api";
import { ExpiryField } from "../ExpiryField";
import { Dialog } from "../parts";
import type { Made } from "../SecretOnce";
import { faultAt, useChange } from "../saving";

interface Props {
  cluster: string;
  project: string | undefined;
  accounts: readonly ServiceAccount[];
  /** The credential whose user name gets a second password. */
  rotated: ScramCredential | undefined;
  opened: boolean;
  onClose: () => void;
  onMade: (made: Made) => void;
}

/** Makes a credential, or a second password of one. */
export function NewScram({ opened, onClose, ...rest }: Props) {
  return (
    <Dialog
      opened={opened}
      onClose={onClose}
      title={rest.rotated ? `Second password for ${rest.rotated.username}` : "Create credential"}
    >
      <Form {...rest} onClose={onClose} />
    </Dialog>
  );
}

interface Values {
  service_account: string;
  username: string;
  expires_at: string | undefined;
}

function bodyOf({ service_account, username, expires_at }: Values) {
  return {
    service_account,
    ...(username.trim() ? { username: username.trim() } : {}),
    ...(expires_at ? { expires_at } : {}),
  };
}

function Form({ cluster, project, accounts, rotated, onClose, onMade }: Omit<Props, "opened">) {
  const form = useForm<Values>({
    initialValues: {
      service_account: rotated?.service_account ?? "",
      username: rotated?.username ?? "",
      expires_at: undefined,
    },
    validate: { service_account: (id) => (id ? null : "Choose whose it is to be") },
  });
  const create = useChange({
    send: (values: Values) =>
      got(
        api.POST("/v1/clusters/{cluster}/scram-credentials", {
          params: { path: { cluster } },
          body: bodyOf(values),
        }),
      ),
    touches: [["scram-credentials"]],
    onDone: ({ secret, client }) => {
      onClose();
      if (secret) onMade({ what: "password", secret, client: client ?? null });
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(values))}>
      <Stack>
        <Select
          label="Service account"
          placeholder={accounts.length === 0 ? "The project has none yet" : "Choose one"}
          data={accounts.map(({ id, name }) => ({ value: id, label: name }))}
          searchable
          required
          disabled={rotated !== undefined}
          data-autofocus
          {...form.getInputProps("service_account")}
          error={form.errors.service_account ?? faultAt(create.error, "/service_account")}
        />
        {accounts.length === 0 && <NoAccount project={project} />}
        <TextInput
          label="User name"
          description={
            rotated
              ? "The same as that of the password there is"
              : "Left empty: one is made up, which works without the cluster's own host name, too"
          }
          maxLength={255}
          autoComplete="off"
          spellCheck={false}
          readOnly={rotated !== undefined}
          {...form.getInputProps("username")}
          error={faultAt(create.error, "/username")}
        />
        <ExpiryField
          value={form.values.expires_at}
          onChange={(at) => form.setFieldValue("expires_at", at)}
          error={faultAt(create.error, "/expires_at")}
        />
        {create.error && <ProblemAlert error={create.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={create.isPending}>
            {rotated ? "Create second password" : "Create credential"}
          </Button>
        </Group>
        <Code cluster={cluster} values={form.values} accounts={accounts} />
      </Stack>
    </form>
  );
}

function NoAccount({ project }: { project: string | undefined }) {
  return (
    <Text size="sm">
      <Anchor
        underline="always"
        renderRoot={(props) => <Link {...props} to="/service-accounts" search={project ? { project } : {}} />}
      >
        Create a service account
      </Anchor>{" "}
      first.
    </Text>
  );
}

interface CodeProps {
  cluster: string;
  values: Values;
  accounts: readonly ServiceAccount[];
}

function Code({ cluster, values, accounts }: CodeProps) {
  const body = bodyOf(values);
  return (
    <AsCode
      request={{ method: "POST", path: `/v1/clusters/${cluster}/scram-credentials`, body }}
      resource={{
        type: "firn_scram_credential",
        name: accountName(`User:${values.service_account}`, accounts) ?? "client",
        attributes: {
          cluster,
          ...body,
          password_wo: expression("var.kafka_password"),
          password_wo_version: 1,
        },
      }}
    />
  );
}
