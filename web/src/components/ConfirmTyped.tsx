import { Alert, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { AsCode, type Code } from "./AsCode";
import { ProblemAlert } from "./ProblemAlert";

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What happens then, and whether it can be taken back. */
  children: ReactNode;
  /** What has to be typed: the name of what goes. */
  word: string;
  /** The button's text, a verb: "Delete topic". */
  action: string;
  /** The same for programs. */
  code: Code;
  onConfirm: () => Promise<unknown>;
}

/** Asks for the name of what is about to go, so that no stray click ends anything. */
export function ConfirmTyped({ opened, onClose, title, children, word, action, code, onConfirm }: Props) {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const close = () => {
    setTyped("");
    setError(undefined);
    onClose();
  };
  const confirm = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      close();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={close} title={title} centered closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={confirm}>
        <Stack>
          <Alert color="red" variant="light">
            {children}
          </Alert>
          <TextInput
            label={
              <Text size="sm" span>
                Type <b style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{word}</b> to go on
              </Text>
            }
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button color="red.9" type="submit" disabled={typed !== word} loading={busy}>
              {action}
            </Button>
          </Group>
          <AsCode {...code} />
        </Stack>
      </form>
    </Modal>
  );
}
