import { Group, Paper, ThemeIcon, Title, VisuallyHidden } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";

interface Props {
  number: number;
  title: string;
  done: boolean;
  /** Its turn has not come. */
  waits?: boolean;
  children: ReactNode;
}

/** One step of the guide. */
export function Step({ number, title, done, waits = false, children }: Props) {
  return (
    <Paper withBorder p={{ base: "sm", sm: "lg" }} component="section" aria-label={title}>
      <Group gap="sm" mb="sm" wrap="nowrap">
        <ThemeIcon
          radius="xl"
          size={32}
          variant={done ? "filled" : "light"}
          color={done ? "teal.9" : waits ? "gray" : ""}
        >
          {done ? <IconCheck size={18} /> : <b>{number}</b>}
        </ThemeIcon>
        <Title order={2} size="h4">
          {title}
          {done && <VisuallyHidden> (done)</VisuallyHidden>}
        </Title>
      </Group>
      {children}
    </Paper>
  );
}
