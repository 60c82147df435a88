import { Fieldset, NumberInput, SimpleGrid, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { amount, type LimitName, limitNames, limits } from "./limits";

interface Props {
  values: Partial<Record<LimitName, number>>;
  onChange: (values: Partial<Record<LimitName, number>>) => void;
  /** By `limits.NAME`. */
  errors: Record<string, ReactNode>;
  legend: string;
}

/** Numbers for each limit. One that is left empty is not sent. */
export function LimitFields({ values, onChange, errors, legend }: Props) {
  const change = (name: LimitName, value: number | string) => {
    const { [name]: _, ...others } = values;
    onChange(typeof value === "number" ? { ...others, [name]: value } : others);
  };
  return (
    <Fieldset legend={legend}>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        {limitNames.map((name) => {
          const { label, description, most, unit } = limits[name];
          const value = values[name];
          return (
            <NumberInput
              key={name}
              label={label}
              description={description}
              min={0}
              max={most}
              allowDecimal={false}
              thousandSeparator=","
              hideControls
              value={value ?? ""}
              onChange={(given) => change(name, given)}
              error={errors[`limits.${name}`]}
              rightSectionWidth={92}
              rightSection={
                unit !== "count" && value !== undefined ? (
                  <Text size="xs" c="dimmed">
                    {amount(value, unit)}
                  </Text>
                ) : undefined
              }
            />
          );
        })}
      </SimpleGrid>
    </Fieldset>
  );
}
