import { NumberInput, Radio, Stack, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { zone } from "@/components/format";
import { kinds, type Values } from "./form";

/** Where offsets are set to. */
export function TargetFields({ form }: { form: UseFormReturnType<Values> }) {
  const { kind } = form.values;
  return (
    <>
      <Radio.Group aria-label="Where to" {...form.getInputProps("kind")}>
        <Stack gap="xs">
          {kinds.map(({ value, label, hint }) => (
            <Radio key={value} value={value} label={label} description={hint} />
          ))}
        </Stack>
      </Radio.Group>
      {kind === "time" && (
        <TextInput
          type="datetime-local"
          step={1}
          label="Moment"
          description={`In your time zone, ${zone()}`}
          withAsterisk
          {...form.getInputProps("time")}
        />
      )}
      {kind === "offset" && (
        <NumberInput label="Offset" min={0} allowDecimal={false} withAsterisk {...form.getInputProps("offset")} />
      )}
      {kind === "shift" && (
        <NumberInput label="Records" allowDecimal={false} withAsterisk {...form.getInputProps("by")} />
      )}
    </>
  );
}
