import { Center, Stack, Text, ThemeIcon } from "@mantine/core";
import type { ComponentType, ReactNode } from "react";

interface Props {
  icon: ComponentType<{ size?: number | string }>;
  title: string;
  /** What to do next. */
  children?: ReactNode;
}

/** Where nothing is yet. */
export function Empty({ icon: Icon, title, children }: Props) {
  return (
    <Center py="xl">
      <Stack align="center" gap="xs" maw={440} ta="center">
        <ThemeIcon variant="light" size={48} radius="xl">
          <Icon size={26} />
        </ThemeIcon>
        <Text fw={600}>{title}</Text>
        {children}
      </Stack>
    </Center>
  );
}
