import { Anchor, Box, Breadcrumbs, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";

interface Props {
  title: string;
  /** One sentence: what this page is for. */
  lead?: ReactNode;
  /** Where this page lies, outermost first. */
  trail?: { label: string; to: string }[];
  /** The page's own buttons. */
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame of a page behind the login: breadcrumbs, heading, actions. It sets the document's title, too. */
export function Page({ title, lead, trail, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Firn`;
  }, [title]);
  return (
    <Stack gap="md" maw={1400} mx="auto">
      <Box>
        {trail && (
          <Breadcrumbs mb={4} aria-label="Breadcrumbs">
            {trail.map((step) => (
              <Anchor key={step.to} component={Link} to={step.to} size="sm">
                {step.label}
              </Anchor>
            ))}
          </Breadcrumbs>
        )}
        <Group justify="space-between" align="flex-start" gap="sm">
          <Title order={1} size="h2" style={{ overflowWrap: "anywhere" }}>
            {title}
          </Title>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
        {lead && (
          <Text c="dimmed" mt={4} maw={760}>
            {lead}
          </Text>
        )}
      </Box>
      {children}
    </Stack>
  );
}
