import { Group, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { localTime, zone } from "@/components/format";

interface Props {
  /** RFC 3339; undefined: it holds until it is revoked. */
  value: string | undefined;
  onChange: (at: string | undefined) => void;
  error?: string | undefined;
}

const choices = [
  { value: "never", label: "Never: until it is revoked" },
  { value: "1", label: "In a day" },
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
  { value: "at", label: "At a moment of my choice" },
];

/** When something is to end. */
export function ExpiryField({ value, onChange, error }: Props) {
  const [choice, setChoice] = useState("never");
  const choose = (chosen: string | null) => {
    if (!chosen) return;
    setChoice(chosen);
    const days = Number(chosen);
    if (chosen === "never") onChange(undefined);
    else if (days > 0) onChange(new Date(Date.now() + days * 86_400_000).toISOString());
  };
  return (
    <Group align="flex-end" grow preventGrowOverflow={false}>
      <Select
        label="Expires"
        description={choice === "never" ? "One that expires limits what a leak costs" : undefined}
        inputWrapperOrder={["label", "input", "description", "error"]}
        data={choices}
        value={choice}
        onChange={choose}
        allowDeselect={false}
        error={error}
      />
      {choice === "at" && (
        <TextInput
          type="datetime-local"
          label={`Moment, in your time zone (${zone()})`}
          required
          value={localTime(value)}
          onChange={({ currentTarget }) =>
            onChange(currentTarget.value ? new Date(currentTarget.value).toISOString() : undefined)
          }
        />
      )}
    </Group>
  );
}
