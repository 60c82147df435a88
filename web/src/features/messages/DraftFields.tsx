import { ActionIcon, Button, Group, NativeSelect, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { type Draft, faultOf, type Part, type Way } from "./drafts";

const ways: { value: Way; label: string }[] = [
  { value: "text", label: "Text" },
  { value: "json", label: "JSON" },
  { value: "base64", label: "Base64" },
  { value: "none", label: "None (null)" },
];

interface PartProps {
  label: string;
  part: Part;
  onChange: (part: Part) => void;
  rows?: number;
  fault?: string | undefined;
}

/** Bytes of a message, in the way that one types them. */
function PartField({ label, part, onChange, rows = 1, fault }: PartProps) {
  const error = part.way === "none" ? undefined : (fault ?? (part.text === "" ? undefined : faultOf(part)));
  return (
    <Group align="flex-start" gap="xs" wrap="nowrap">
      <NativeSelect
        label={`${label} as`}
        data={ways}
        value={part.way}
        onChange={(event) => onChange({ ...part, way: event.currentTarget.value as Way })}
        w={120}
      />
      <Textarea
        label={label}
        value={part.way === "none" ? "" : part.text}
        disabled={part.way === "none"}
        onChange={(event) => onChange({ ...part, text: event.currentTarget.value })}
        error={error}
        autosize
        minRows={rows}
        maxRows={14}
        spellCheck={false}
        classNames={{ input: "mono" }}
        flex={1}
        miw={0}
      />
    </Group>
  );
}

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
  /** How many the topic has. */
  partitions: number;
  /** What the API found wrong at a pointer below the record. */
  fault?: (pointer: string) => string | undefined;
}

/** A message that is about to be produced. */
export function DraftFields({ draft, onChange, partitions, fault = () => undefined }: Props) {
  const { key, value, headers, partition } = draft;
  const setHeader = (number: number, changed: Partial<Draft["headers"][number]>) =>
    onChange({ ...draft, headers: headers.map((each, at) => (at === number ? { ...each, ...changed } : each)) });
  const numbers = Array.from({ length: Math.min(partitions, 1_000) }, (_, number) => String(number));
  return (
    <Stack gap="sm">
      <PartField label="Key" part={key} onChange={(part) => onChange({ ...draft, key: part })} fault={fault("/key")} />
      <PartField
        label="Value"
        rows={5}
        part={value}
        onChange={(part) => onChange({ ...draft, value: part })}
        fault={fault("/value")}
      />
      <NativeSelect
        label="Partition"
        description="By its key, as Kafka's clients choose, unless you say another."
        data={[{ value: "", label: "By its key" }, ...numbers]}
        value={partition}
        onChange={(event) => onChange({ ...draft, partition: event.currentTarget.value })}
        error={fault("/partition")}
        w={240}
      />
      <Text size="sm" fw={500}>
        Headers
      </Text>
      {headers.map((header, number) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: names repeat; what is typed belongs to its place
        <Group key={number} align="flex-end" gap="xs" wrap="nowrap">
          <TextInput
            label={`Name of header ${number + 1}`}
            value={header.key}
            onChange={(event) => setHeader(number, { key: event.currentTarget.value })}
            flex={1}
            miw={0}
          />
          <TextInput
            label={`Value of header ${number + 1}`}
            value={header.value.text}
            onChange={(event) =>
              setHeader(number, {
                value: {
                  way: header.value.way === "base64" ? "base64" : "text",
                  text: event.currentTarget.value,
                },
              })
            }
            error={header.value.way === "base64" ? faultOf(header.value) : undefined}
            flex={1}
            miw={0}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`Remove header ${number + 1}`}
            onClick={() => onChange({ ...draft, headers: headers.filter((_, at) => at !== number) })}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Button
        variant="subtle"
        size="compact-sm"
        leftSection={<IconPlus size={14} />}
        onClick={() => onChange({ ...draft, headers: [...headers, { key: "", value: { way: "text", text: "" } }] })}
        style={{ alignSelf: "flex-start" }}
      >
        Add a header
      </Button>
    </Stack>
  );
}
