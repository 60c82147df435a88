import { Button, Group, Modal, Select, Stack, Text, Textarea } from "@mantine/core";
import { useEffect, useState } from "react";
import { loadDecoder, noSchemas, type Schemas } from "./decoders";

interface Props {
  schemas: Schemas;
  onKeep: (schemas: Schemas) => void;
  onClose: () => void;
}

/** What is wrong with what was pasted, and the messages of a `.proto`. */
function useChecked(schemas: Schemas) {
  const [checked, setChecked] = useState<{ avro?: string; proto?: string; messages: string[] }>({ messages: [] });
  useEffect(() => {
    let current = true;
    const why = (error: unknown) => (error instanceof Error ? error.message : String(error));
    const check = async () => {
      const avro = await loadDecoder("avro", schemas).then(() => undefined, why);
      let proto: string | undefined;
      let messages: string[] = [];
      if (schemas.proto.trim() !== "") {
        try {
          const { ProtoSchema } = await import("./decoders/protobuf");
          messages = new ProtoSchema(schemas.proto).messages;
        } catch (error) {
          proto = why(error);
        }
      }
      if (current) setChecked({ messages, ...(avro ? { avro } : {}), ...(proto ? { proto } : {}) });
    };
    void check();
    return () => {
      current = false;
    };
  }, [schemas]);
  return checked;
}

/** Schemas by which messages of this topic are read. They stay in the browser. */
export function SchemaModal({ schemas, onKeep, onClose }: Props) {
  const [draft, setDraft] = useState(schemas);
  const { avro, proto, messages } = useChecked(draft);
  const keep = () => {
    onKeep(draft);
    onClose();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title="Schemas of this topic"
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          They are kept in this browser only, and messages are read here: nothing is sent anywhere.
        </Text>
        <Textarea
          label="Avro schema (JSON)"
          placeholder='{"type": "record", "name": "Order", "fields": […]}'
          value={draft.avro}
          onChange={(event) => setDraft({ ...draft, avro: event.currentTarget.value })}
          error={avro}
          autosize
          minRows={4}
          maxRows={12}
          spellCheck={false}
          classNames={{ input: "mono" }}
        />
        <Textarea
          label="Protobuf (.proto)"
          placeholder={'syntax = "proto3";\nmessage Order { int64 id = 1; }'}
          value={draft.proto}
          onChange={(event) => setDraft({ ...draft, proto: event.currentTarget.value, message: "" })}
          error={proto}
          autosize
          minRows={4}
          maxRows={12}
          spellCheck={false}
          classNames={{ input: "mono" }}
        />
        {messages.length > 0 && (
          <Select
            label="Message"
            data={messages}
            value={draft.message || (messages[0] ?? null)}
            allowDeselect={false}
            searchable
            onChange={(message) => setDraft({ ...draft, message: message ?? "" })}
          />
        )}
        <Group justify="space-between">
          <Button variant="subtle" color="gray" onClick={() => setDraft(noSchemas)}>
            Clear
          </Button>
          <Group>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button onClick={keep} disabled={avro !== undefined || proto !== undefined}>
              Use
            </Button>
          </Group>
        </Group>
      </Stack>
    </Modal>
  );
}
