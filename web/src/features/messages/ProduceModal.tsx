import { Button, Group, Modal, Stack } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { asProblem } from "@/api/problem";
import { AsCode } from "@/components/AsCode";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type At, produce, undeclared } from "./api";
import { DraftFields } from "./DraftFields";
import { emptyDraft, isWhole, recordOf } from "./drafts";

interface Props {
  at: At;
  opened: boolean;
  onClose: () => void;
  partitions: number;
}

/** Produces one message, again and again if one likes. */
export function ProduceModal({ at, opened, onClose, partitions }: Props) {
  const [draft, setDraft] = useState(emptyDraft);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const fault = (pointer: string) => {
    const { faults } = asProblem(error);
    return faults.find((each) => each.pointer.startsWith(`/records/0${pointer}`))?.detail;
  };
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const { items } = await produce(at, [recordOf(draft)]);
      const [made] = items;
      done(`Produced to partition ${made?.partition}, offset ${made?.offset}.`);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const path = `/v1/clusters/${at.cluster}/topics/${at.topic}/records`;
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Produce to ${at.topic}`}
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form onSubmit={send}>
        <Stack>
          <DraftFields
            draft={draft}
            onChange={setDraft}
            partitions={partitions}
            fault={error === undefined ? () => undefined : fault}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <AsCode request={{ method: "POST", path, body: { records: [recordOf(draft)] } }} undeclared={undeclared} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Close
            </Button>
            <Button type="submit" loading={busy} disabled={!isWhole(draft)}>
              Produce
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
