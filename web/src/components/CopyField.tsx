import { ActionIcon, Code, CopyButton, Group, ScrollArea, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

/** Puts a text on the clipboard. */
export function Copy({ value, label = "Copy" }: { value: string; label?: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : label}>
          <ActionIcon
            variant="subtle"
            color={copied ? "teal" : "gray"}
            onClick={copy}
            aria-label={copied ? "Copied" : label}
          >
            {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** A value in one line, to read and to copy. */
export function CopyField({ value, label }: { value: string; label: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <ScrollArea
        type="auto"
        scrollbarSize={6}
        offsetScrollbars="present"
        viewportProps={{ tabIndex: 0, role: "region", "aria-label": label }}
      >
        <Code style={{ whiteSpace: "nowrap" }}>{value}</Code>
      </ScrollArea>
      <Copy value={value} label={`Copy ${label}`} />
    </Group>
  );
}

/** A text of several lines: a command, a program. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <Group align="flex-start" gap={4} wrap="nowrap" pos="relative">
      <Code block flex={1} miw={0} tabIndex={0} role="region" aria-label={label} style={{ overflowX: "auto" }}>
        {code}
      </Code>
      <Copy value={code} label={`Copy ${label}`} />
    </Group>
  );
}
