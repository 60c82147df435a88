import { Anchor, Button, Group, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import { keepCsrfToken } from "@/api/session";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type OpenedSession, sessionQuery } from "./session";

interface Props {
  person: OpenedSession["person"];
  /** Gives up what was typed. */
  onLeave: () => void;
}

/** The session has ended while something is typed: the login comes here, in front of the page, which stays as it is. */
export function SessionEnded({ person, onLeave }: Props) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { password: "" } });
  const { submit, error } = useSubmit(form, async ({ password }) => {
    const session = await got(api.POST("/v1/sessions", { body: { email: person.email, password } }));
    keepCsrfToken(session.csrf_token);
    queries.setQueryData(sessionQuery.queryKey, session);
    await queries.invalidateQueries();
  });
  return (
    <Modal
      opened
      onClose={onLeave}
      title="Your session has ended"
      centered
      zIndex={300}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">
            What you have typed is still here. Log in again as{" "}
            <b style={{ overflowWrap: "anywhere" }}>{person.email}</b>, and go on.
          </Text>
          <input type="hidden" autoComplete="username" value={person.email} readOnly />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            data-autofocus
            visibilityToggleButtonProps={{ "aria-label": "Show or hide what is typed" }}
            {...form.getInputProps("password")}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <Text size="sm">
            With a login provider:{" "}
            <Anchor href="/login" target="_blank" underline="always" size="sm">
              log in in another tab
            </Anchor>
            , then come back to this one.
          </Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={onLeave}>
              Leave, and lose it
            </Button>
            <Button type="submit" loading={form.submitting}>
              Log in
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
