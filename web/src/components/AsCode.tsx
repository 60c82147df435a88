import { Collapse, Group, Stack, Tabs, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight, IconCode } from "@tabler/icons-react";
import { CodeBlock } from "./CopyField";
import { curl, type Gone, type Hcl, hcl, type Request, removed } from "./code";

/** The same as Terraform: what is declared then, what goes, or a sentence that says why nothing is declared. */
type Declared =
  | { resource: Hcl | Hcl[]; removed?: never; undeclared?: never }
  | { removed: Gone | Gone[]; resource?: never; undeclared?: never }
  | { undeclared: string; resource?: never; removed?: never };

export type Code = Declared & {
  /** The request that the form sends. */
  request: Request;
};

/** What a form is about to do, as a command and as Terraform: what the console does, a program can do. */
export function AsCode(code: Code) {
  const [open, { toggle }] = useDisclosure();
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <Stack gap="xs">
      <UnstyledButton onClick={toggle} aria-expanded={open}>
        <Group gap={6}>
          <Chevron size={16} />
          <IconCode size={16} />
          <Text size="sm">As curl and Terraform</Text>
        </Group>
      </UnstyledButton>
      <Collapse expanded={open}>
        <Tabs defaultValue="curl" keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="curl">curl</Tabs.Tab>
            <Tabs.Tab value="hcl">Terraform</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="curl" pt="xs">
            <CodeBlock label="curl command" code={curl(code.request, window.location.origin)} />
          </Tabs.Panel>
          <Tabs.Panel value="hcl" pt="xs">
            <Terraform {...code} />
          </Tabs.Panel>
        </Tabs>
      </Collapse>
    </Stack>
  );
}

function Terraform({ resource, removed: gone, undeclared }: Declared) {
  if (undeclared !== undefined) return <Text size="sm">{undeclared}</Text>;
  if (resource) return <CodeBlock label="Terraform" code={[resource].flat().map(hcl).join("\n\n")} />;
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        In place of its own block, for one apply; it needs Terraform 1.7.
      </Text>
      <CodeBlock label="Terraform" code={[gone].flat().map(removed).join("\n\n")} />
    </Stack>
  );
}
