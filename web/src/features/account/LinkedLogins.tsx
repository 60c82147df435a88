import { Button, Group, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type LinkedLogin, linkedLoginsQuery, undeclared } from "./api";

/** What logs in to the account besides its password, and taking that back. */
export function LinkedLogins() {
  const logins = useQuery(linkedLoginsQuery);
  const [leaving, setLeaving] = useState<LinkedLogin>();
  return (
    <Loaded query={logins}>
      {(all) => (
        <Stack gap="xs">
          {all.map((login) => (
            <Group key={login.id} justify="space-between" wrap="nowrap">
              <div style={{ minWidth: 0 }}>
                <Text fw={600} style={{ overflowWrap: "anywhere" }}>
                  {login.provider_name}
                </Text>
                <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                  Of {login.organization_name}, linked {moment(login.linked_at)}
                </Text>
              </div>
              <Button
                variant="default"
                size="xs"
                style={{ flexShrink: 0 }}
                onClick={() => setLeaving(login)}
                aria-label={`Unlink ${login.provider_name} of ${login.organization_name}`}
              >
                Unlink
              </Button>
            </Group>
          ))}
          {leaving && <Unlink login={leaving} onClose={() => setLeaving(undefined)} />}
        </Stack>
      )}
    </Loaded>
  );
}

function Unlink({ login, onClose }: { login: LinkedLogin; onClose: () => void }) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { password: "" } });
  const { submit, error } = useSubmit(form, async ({ password }) => {
    const params = { path: { login: login.id } };
    await got(api.DELETE("/v1/me/logins/{login}", { params, body: password === "" ? undefined : { password } }));
    await queries.invalidateQueries({ queryKey: linkedLoginsQuery.queryKey });
    done("It is unlinked.");
    onClose();
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Unlink ${login.provider_name}`}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">
            It logs you in no more. Sessions that it began go on: end them under Sessions if they should not.
          </Text>
          <PasswordInput
            label="Your password"
            description="Not asked for within ten minutes of logging in."
            autoComplete="current-password"
            visibilityToggleButtonProps={{ "aria-label": "Show or hide what is typed" }}
            {...form.getInputProps("password")}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red.9" loading={form.submitting}>
              Unlink it
            </Button>
          </Group>
          <AsCode
            request={{
              method: "DELETE",
              path: `/v1/me/logins/${login.id}`,
              body: form.values.password === "" ? undefined : { password: "…" },
              by: "person",
            }}
            undeclared={undeclared}
          />
        </Stack>
      </form>
    </Modal>
  );
}
