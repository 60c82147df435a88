import { Select, type SelectProps, Stack, Text } from "@mantine/core";
import { type RoleName, roles } from "./roles";

/** What may be chosen instead of a role. */
const none = { value: "none", label: "None", means: "Only ACLs let it do anything." } as const;

interface Props extends Omit<SelectProps, "data" | "renderOption"> {
  /** Which may be chosen; all, if nothing is said. */
  choices?: readonly (RoleName | "none")[];
}

/** Which role, each with what it allows. */
export function RoleSelect({ choices, ...props }: Props) {
  const all = [none, ...roles];
  const offered = choices ? all.filter(({ value }) => choices.includes(value)) : roles;
  return (
    <Select
      label="Role"
      allowDeselect={false}
      data={offered.map(({ value, label }) => ({ value, label }))}
      renderOption={({ option }) => (
        <Stack gap={0}>
          <Text size="sm" fw={600}>
            {option.label}
          </Text>
          <Text size="xs" c="dimmed">
            {all.find(({ value }) => value === option.value)?.means}
          </Text>
        </Stack>
      )}
      {...props}
    />
  );
}
