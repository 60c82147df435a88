import { Box, Code, Group, Select, Stack, Switch, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { Copy } from "@/components/CopyField";
import { type Decoded, decodeClosely, type Format, formatNames, formats, type Schemas } from "./decoders";
import { fromBase64 } from "./decoders/bytes";
import styles from "./messages.module.css";

/** How much of a text is drawn: a browser suffers from more. */
const mostShown = 500_000;

interface Props {
  label: string;
  /** In base64; null where there is nothing. */
  content: string | null | undefined;
  /** The format that is chosen for the topic. */
  usual: Format;
  schemas: Schemas;
}

function useClosely(content: string | null | undefined, format: Format, schemas: Schemas) {
  const [decoded, setDecoded] = useState<Decoded>();
  useEffect(() => {
    if (content === null || content === undefined) return;
    let current = true;
    decodeClosely(fromBase64(content), format, schemas).then(
      (found) => current && setDecoded(found),
      (error: unknown) =>
        current &&
        setDecoded({ format: "hex", text: "", note: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      current = false;
    };
  }, [content, format, schemas]);
  return decoded;
}

/** A key, a value or a header, in the format that one chooses. */
export function ContentView({ label, content, usual, schemas }: Props) {
  const [format, setFormat] = useState<Format>(usual);
  const [wrapped, setWrapped] = useState(true);
  const decoded = useClosely(content, format, schemas);
  if (content === null || content === undefined) {
    return <Text c="dimmed">{label === "Value" ? "None: it is a tombstone." : "It has none."}</Text>;
  }
  const text = decoded?.text ?? "";
  const cut = text.length > mostShown ? `${text.slice(0, mostShown)}\n…` : text;
  return (
    <Stack gap="xs">
      <Group align="flex-end" justify="space-between">
        <Group align="flex-end" gap="sm">
          <Select
            label={`${label} as`}
            data={formats.map((value) => ({ value, label: formatNames[value] }))}
            value={format}
            allowDeselect={false}
            onChange={(chosen) => chosen && setFormat(chosen as Format)}
            w={150}
          />
          <Switch label="Wrap" checked={wrapped} onChange={(event) => setWrapped(event.currentTarget.checked)} pb={8} />
          {decoded && format === "auto" && (
            <Text size="sm" c="dimmed" pb={8}>
              {formatNames[decoded.format]}
            </Text>
          )}
        </Group>
        <Copy value={text} label={`Copy ${label.toLowerCase()}`} />
      </Group>
      {decoded?.note && (
        <Text size="sm" c="dimmed">
          {decoded.note}
        </Text>
      )}
      <Box>
        <Code
          block
          tabIndex={0}
          role="region"
          aria-label={`${label}, decoded`}
          className={`${styles.content} ${wrapped && decoded?.format !== "hex" ? styles.wrapped : ""}`}
        >
          {cut}
        </Code>
      </Box>
    </Stack>
  );
}
