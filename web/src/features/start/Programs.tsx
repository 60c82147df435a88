import { Badge, Group, Stack, Tabs, Text } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { CodeBlock } from "@/components/CopyField";
import { type Block, type Connection, type Snippet, snippets } from "./snippets";

/** The programs, one tab for each language; the last choice is kept. */
export function Programs({ connection }: { connection: Connection }) {
  const all = snippets(connection);
  const [language, choose] = useLocalStorage({
    key: "firn.language",
    defaultValue: "kcat",
    getInitialValueInEffect: false,
  });
  const known = all.some(({ id }) => id === language) ? language : "kcat";
  return (
    <Tabs value={known} onChange={(value) => choose(value ?? "kcat")} keepMounted={false}>
      <Tabs.List aria-label="Language">
        {all.map(({ id, name }) => (
          <Tabs.Tab key={id} value={id}>
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {all.map((snippet) => (
        <Tabs.Panel key={snippet.id} value={snippet.id} pt="md">
          <Program snippet={snippet} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

function Program({ snippet }: { snippet: Snippet }) {
  const parts = [
    ["Prepare", snippet.setup],
    ["Produce", snippet.produce],
    ["Consume", snippet.consume],
  ] as const;
  return (
    <Stack gap="lg">
      {parts.map(([part, blocks]) => (
        <Stack key={part} gap="xs" role="group" aria-label={`${snippet.name}: ${part}`}>
          <Text fw={650}>{part}</Text>
          {blocks.map((block) => (
            <Shown key={block.title} block={block} of={`${snippet.name}, ${part}`} />
          ))}
        </Stack>
      ))}
    </Stack>
  );
}

function Shown({ block, of }: { block: Block; of: string }) {
  const label = `${of}: ${block.title}${block.file ? ` in ${block.file}` : ""}`;
  return (
    <div>
      <Group gap="xs" mb={4}>
        <Text size="sm">{block.title}</Text>
        {block.file && (
          <Badge variant="light" tt="none">
            {block.file}
          </Badge>
        )}
      </Group>
      <CodeBlock label={label} code={block.code} />
    </div>
  );
}
