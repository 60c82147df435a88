import { Select, type SelectProps, Stack, Text } from "@mantine/core";
import { roles } from "./roles";

/** Which role, each with what it allows. */
export function RoleSelect(props: Omit<SelectProps, "data" | "renderOption">) {
  return (
    <Select
      label="Role"
      allowDeselect={false}
      data={roles.map(({ value, label }) => ({ value, label }))}
      renderOption={({ option }) => (
        <Stack gap={0}>
          <Text size="sm" fw={600}>
            {option.label}
          </Text>
          <Text size="xs" c="dimmed">
            {roles.find(({ value }) => value === option.value)?.means}
          </Text>
        </Stack>
      )}
      {...props}
    />
  );
}
