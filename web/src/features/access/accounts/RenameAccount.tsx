import { Button, Group, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { ProblemAlert } from "@/components/ProblemAlert";
import type { ServiceAccount } from "../api";
import { Dialog } from "../parts";
import { faultAt, useChange } from "../saving";

interface Props {
  account: ServiceAccount;
  etag: string;
  opened: boolean;
  onClose: () => void;
}

/** Another name or description; its id, and so its ACLs, stay. */
export function RenameAccount({ opened, onClose, ...rest }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title="Edit service account">
      <Form {...rest} onClose={onClose} />
    </Dialog>
  );
}

function Form({ account, etag, onClose }: Omit<Props, "opened">) {
  const form = useForm({ initialValues: { name: account.name, description: account.description } });
  const path = { service_account: account.id };
  const save = useChange({
    send: (body: { name: string; description: string }) =>
      got(
        api.PATCH("/v1/service-accounts/{service_account}", {
          params: { path, header: { "If-Match": etag } },
          body,
        }),
      ),
    touches: [["service-account", account.id], ["service-accounts"]],
    said: "Saved",
    onDone: onClose,
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput
          label="Name"
          description="Its id stays, and so do its ACLs"
          required
          maxLength={100}
          data-autofocus
          {...form.getInputProps("name")}
          error={faultAt(save.error, "/name")}
        />
        <Textarea
          label="Description"
          maxLength={500}
          autosize
          minRows={2}
          {...form.getInputProps("description")}
          error={faultAt(save.error, "/description")}
        />
        {save.error && <ProblemAlert error={save.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
        <AsCode
          request={{ method: "PATCH", path: `/v1/service-accounts/${account.id}`, body: form.values }}
          resource={{
            type: "firn_service_account",
            name: form.values.name,
            attributes: { project: account.project, ...form.values },
          }}
        />
      </Stack>
    </form>
  );
}
