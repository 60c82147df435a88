import { Collapse, Group, Stack, Tabs, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight, IconCode } from "@tabler/icons-react";
import { CodeBlock } from "./CopyField";
import { curl, type Hcl, hcl, type Request } from "./code";

interface Props {
  /** The request that the form sends. */
  request: Request;
  /** The same as a Terraform resource, or as several, where there is one. */
  resource?: Hcl | Hcl[];
}

/** What a form is about to do, as a command and as Terraform: what the console does, a program can do. */
export function AsCode({ request, resource }: Props) {
  const [open, { toggle }] = useDisclosure();
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <Stack gap="xs">
      <UnstyledButton onClick={toggle} aria-expanded={open}>
        <Group gap={6}>
          <Chevron size={16} />
          <IconCode size={16} />
          <Text size="sm">As curl{resource ? " and Terraform" : ""}</Text>
        </Group>
      </UnstyledButton>
      <Collapse expanded={open}>
        <Tabs defaultValue="curl" keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="curl">curl</Tabs.Tab>
            {resource && <Tabs.Tab value="hcl">Terraform</Tabs.Tab>}
          </Tabs.List>
          <Tabs.Panel value="curl" pt="xs">
            <CodeBlock label="curl command" code={curl(request, window.location.origin)} />
          </Tabs.Panel>
          {resource && (
            <Tabs.Panel value="hcl" pt="xs">
              <CodeBlock label="Terraform" code={[resource].flat().map(hcl).join("\n\n")} />
            </Tabs.Panel>
          )}
        </Tabs>
      </Collapse>
    </Stack>
  );
}
