import { ActionIcon, Badge, Group, MultiSelect, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { ConfigKey } from "../api";
import { elements, meaning, wrong } from "./value";

interface Props {
  config: ConfigKey;
  value: string;
  onChange: (value: string) => void;
  /** Takes the config out of the form. */
  onRemove: () => void;
  /** What the service finds wrong with it. */
  fault?: string | undefined;
}

const units = { ms: "milliseconds", bytes: "bytes", records: "records", fraction: "from 0 to 1" } as const;

/** One config with what it does, what it takes, and what the value means. */
export function ConfigField({ config, value, onChange, onRemove, fault }: Props) {
  const error = wrong(config, value) ?? fault;
  const means = meaning(config, value);
  const unit = config.unit ? units[config.unit] : undefined;
  const shared = {
    label: <Name config={config} />,
    description: <Description config={config}>{config.documentation}</Description>,
    error,
    flex: 1,
    miw: 0,
  };
  return (
    <Group align="flex-start" wrap="nowrap" gap="xs">
      <Stack gap={2} flex={1} miw={0}>
        {config.type === "list" && config.values ? (
          <MultiSelect
            {...shared}
            data={config.values}
            value={elements(value)}
            onChange={(each) => onChange(each.join(","))}
          />
        ) : config.values || config.type === "boolean" ? (
          <Select
            {...shared}
            data={config.values ?? ["true", "false"]}
            value={value || null}
            onChange={(chosen) => onChange(chosen ?? "")}
            allowDeselect={false}
          />
        ) : (
          <TextInput
            {...shared}
            value={value}
            onChange={(event) => onChange(event.currentTarget.value)}
            inputMode={config.type === "string" || config.type === "list" ? "text" : "numeric"}
            spellCheck={false}
            autoComplete="off"
            rightSectionWidth={unit ? 110 : 0}
            rightSection={
              unit && (
                <Text size="xs" c="dimmed">
                  {unit}
                </Text>
              )
            }
          />
        )}
        {means && !error && (
          <Text size="xs" c="dimmed">
            = {means}
          </Text>
        )}
      </Stack>
      <ActionIcon
        variant="subtle"
        color="gray"
        onClick={onRemove}
        aria-label={`Leave ${config.name} as it is usual`}
        mt={2}
      >
        <IconX size={16} />
      </ActionIcon>
    </Group>
  );
}

function Name({ config }: { config: ConfigKey }) {
  return (
    <Group gap={6} component="span" display="inline-flex">
      <span className="mono">{config.name}</span>
      {!config.enforced && (
        <Badge size="xs" variant="outline" color="gray" component="span">
          kept, not acted on
        </Badge>
      )}
    </Group>
  );
}

function Description({ config, children }: { config: ConfigKey; children: ReactNode }) {
  const usual = config.default ?? "";
  const means = meaning(config, usual);
  return (
    <>
      {children} Usual: <span className="mono">{usual === "" ? "empty" : usual}</span>
      {means ? ` (${means})` : ""}.
    </>
  );
}
