import { MultiSelect, Radio, Stack, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { Values } from "./form";

interface Props {
  form: UseFormReturnType<Values>;
  /** Those in which something is committed. */
  topics: readonly string[];
}

/** In which topics and partitions offsets are set. */
export function ScopeFields({ form, topics }: Props) {
  const { scope, topics: chosen } = form.values;
  return (
    <>
      <Radio.Group aria-label="Which offsets" {...form.getInputProps("scope")}>
        <Stack gap="xs">
          <Radio
            value="all"
            label={`All that are committed${topics.length > 0 ? ` (${topics.length} ${topics.length === 1 ? "topic" : "topics"})` : ""}`}
          />
          <Radio value="some" label="Those of some topics" />
        </Stack>
      </Radio.Group>
      {scope === "some" && (
        <MultiSelect
          label="Topics"
          placeholder={chosen.length === 0 ? "Choose topics" : ""}
          data={[...topics]}
          searchable
          hidePickedOptions
          withAsterisk
          {...form.getInputProps("topics")}
        />
      )}
      {scope === "some" && chosen.length === 1 && (
        <TextInput
          label="Partitions"
          description="All if it is empty. Numbers and ranges: 0-3, 7"
          {...form.getInputProps("partitions")}
        />
      )}
    </>
  );
}
