import { type OptionsFilter, Select, Stack, Text } from "@mantine/core";
import type { ConfigKey } from "../api";
import { ConfigField } from "./ConfigField";

/** Values by name: of the configs that are in the form. */
export type Values = Readonly<Record<string, string>>;

interface Props {
  catalogue: readonly ConfigKey[];
  values: Values;
  onChange: (values: Values) => void;
  /** What a config begins with when it is put into the form. */
  initial: (config: ConfigKey) => string;
  /** What the service finds wrong with a config. */
  fault: (name: string) => string | undefined;
}

/** The configs that are set, and one field to set another: all of them are documented, and found by what they do. */
export function ConfigFields({ catalogue, values, onChange, initial, fault }: Props) {
  const inForm = catalogue.filter(({ name }) => values[name] !== undefined);
  const others = catalogue.filter(({ name }) => values[name] === undefined);
  const option = (config: ConfigKey) => ({ value: config.name, label: config.name });
  const add = (name: string | null) => {
    const config = others.find((each) => each.name === name);
    if (config) onChange({ ...values, [config.name]: initial(config) });
  };
  const remove = (name: string) =>
    onChange(Object.fromEntries(Object.entries(values).filter(([each]) => each !== name)));
  const documentation = new Map(catalogue.map((config) => [config.name, config.documentation]));
  return (
    <Stack gap="md">
      {inForm.map((config) => (
        <ConfigField
          key={config.name}
          config={config}
          value={values[config.name] ?? ""}
          onChange={(value) => onChange({ ...values, [config.name]: value })}
          onRemove={() => remove(config.name)}
          fault={fault(config.name)}
        />
      ))}
      <Select
        label="Set another config"
        placeholder="Its name, or what it does"
        data={[
          { group: "Acted on", items: others.filter(({ enforced }) => enforced).map(option) },
          { group: "Kept for clients that ask", items: others.filter(({ enforced }) => !enforced).map(option) },
        ]}
        value={null}
        onChange={add}
        searchable
        selectFirstOptionOnChange
        maxDropdownHeight={320}
        nothingFoundMessage="No config is called so or does that"
        filter={({ options, search }) => matching(options, search, documentation)}
        renderOption={({ option }) => (
          <Stack gap={0}>
            <Text size="sm" className="mono">
              {option.value}
            </Text>
            <Text size="xs" c="dimmed">
              {documentation.get(option.value)}
            </Text>
          </Stack>
        )}
      />
    </Stack>
  );
}

type Options = Parameters<OptionsFilter<string>>[0]["options"];

/** The options in whose names or documentation all words occur. */
function matching(options: Options, search: string, documentation: ReadonlyMap<string, string>): Options {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (name: string) => {
    const text = `${name} ${documentation.get(name) ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const kept: Options = [];
  for (const option of options) {
    if ("group" in option) kept.push({ ...option, items: option.items.filter(({ value }) => fits(String(value))) });
    else if (fits(String(option.value))) kept.push(option);
  }
  return kept;
}
