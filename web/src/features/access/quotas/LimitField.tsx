import { Group, NumberInput, Select } from "@mantine/core";
import { faultAt } from "../saving";
import type { Counted } from "./entity";

/** A number as it was typed, and its unit. */
export interface Amount {
  amount: number | string;
  unit: string;
}

interface Props {
  what: Counted;
  value: Amount;
  error: unknown;
  onChange: (amount: Amount) => void;
}

/** One limit, with its unit. */
export function LimitField({ what, value, error, onChange }: Props) {
  const one = what.units.length === 1 ? what.units[0]?.label : undefined;
  return (
    <Group align="flex-end" gap="xs" wrap="nowrap">
      <NumberInput
        label={what.label}
        description={what.about}
        placeholder="not limited"
        value={value.amount}
        onChange={(amount) => onChange({ ...value, amount })}
        min={0}
        decimalScale={2}
        thousandSeparator=","
        hideControls
        suffix={one === undefined ? "" : ` ${one}`}
        error={faultAt(error, `/quotas/${what.key}`)}
        flex={1}
      />
      {one === undefined && (
        <Select
          aria-label={`Unit of ${what.label}`}
          data={what.units.map(({ label }) => label)}
          value={value.unit}
          onChange={(unit) => onChange({ ...value, unit: unit ?? value.unit })}
          allowDeselect={false}
          w={110}
        />
      )}
    </Group>
  );
}
