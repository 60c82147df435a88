import { ActionIcon, Code, Popover, ScrollArea, Stack, Table, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFilter, IconHelp } from "@tabler/icons-react";

const examples: [string, string][] = [
  ['key == "order-17"', "This key"],
  ["json.total > 100 && json.paid", "Fields of a JSON value"],
  ['json.customer.name.startsWith("A")', "contains, startsWith, endsWith"],
  ['value.matches(r"(?i)time.?out")', "A pattern over the text of the value"],
  ['headers["source"] == "web"', 'A header; has(json.a) and "source" in headers ask whether there is one'],
  ['json.state in ["new", "paid"]', "One of several"],
  ["size > 100000", "Bytes of key and value"],
  ['timestamp >= timestamp("2026-11-28T12:00:00Z")', "By time"],
  ["value == null", "Tombstones"],
  ["partition == 0 && offset >= 1000", "By place"],
];

interface Props {
  value: string;
  onChange: (value: string) => void;
}

/** The filter expression, with examples to take. */
export function FilterField({ value, onChange }: Props) {
  const [opened, { toggle, close }] = useDisclosure(false);
  return (
    <TextInput
      label="Filter"
      placeholder='json.total > 100 && headers["source"] == "web"'
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      maxLength={2_000}
      spellCheck={false}
      autoComplete="off"
      autoCapitalize="off"
      leftSection={<IconFilter size={16} />}
      flex={1}
      miw={220}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      rightSection={
        <Popover
          opened={opened}
          onChange={(open) => !open && close()}
          width={420}
          position="bottom-end"
          trapFocus
          withinPortal
        >
          <Popover.Target>
            <ActionIcon variant="subtle" color="gray" onClick={toggle} aria-label="What a filter may say">
              <IconHelp size={18} />
            </ActionIcon>
          </Popover.Target>
          <Popover.Dropdown aria-label="What a filter may say" maw="92vw">
            <Help
              onTake={(taken) => {
                onChange(taken);
                close();
              }}
            />
          </Popover.Dropdown>
        </Popover>
      }
    />
  );
}

function Help({ onTake }: { onTake: (example: string) => void }) {
  return (
    <Stack gap="xs">
      <Text size="sm">
        Fields: <Code>key</Code> <Code>value</Code> <Code>json</Code> <Code>keyjson</Code> <Code>headers</Code>{" "}
        <Code>partition</Code> <Code>offset</Code> <Code>timestamp</Code> <Code>size</Code>, joined by{" "}
        <Code>&amp;&amp;</Code> <Code>||</Code> <Code>!</Code>. Choose an example to begin with it.
      </Text>
      <ScrollArea.Autosize mah={320}>
        <Table verticalSpacing={6}>
          <Table.Tbody>
            {examples.map(([example, meaning]) => (
              <Table.Tr key={example}>
                <Table.Td>
                  <UnstyledButton onClick={() => onTake(example)}>
                    <Code>{example}</Code>
                  </UnstyledButton>
                  <Text size="xs" c="dimmed">
                    {meaning}
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
    </Stack>
  );
}
