import { Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

interface Props {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}

/** What stands in the card of a page before the login. It sets the document's title, too. */
export function Frame({ title, lead, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Firn`;
  }, [title]);
  return (
    <Stack>
      <div>
        <Title order={1} size="h2">
          {title}
        </Title>
        {lead && (
          <Text c="dimmed" mt={4}>
            {lead}
          </Text>
        )}
      </div>
      {children}
    </Stack>
  );
}
