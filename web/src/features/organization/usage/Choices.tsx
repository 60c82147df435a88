import { Group, SegmentedControl, Select, TextInput } from "@mantine/core";
import { localTime, zone } from "@/components/format";
import type { Granularity, Group as GroupName, MeterName, Range, Span, UsageSearch } from "./span";
import { meters } from "./sums";

interface Props {
  search: UsageSearch;
  span: Span;
  change: (changed: UsageSearch) => void;
}

function moment(text: string): string | undefined {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

/** Which usage is shown. */
export function Choices({ search, span, change }: Props) {
  const range = search.range ?? "day";
  return (
    <Group align="flex-end" gap="sm">
      <SegmentedControl
        aria-label="Time"
        value={range}
        onChange={(value) => {
          const next = value as Range;
          change(next === "custom" ? { range: next, from: span.from, to: span.to } : { range: next });
        }}
        data={[
          { value: "day", label: "24 h" },
          { value: "week", label: "7 days" },
          { value: "month", label: "30 days" },
          { value: "custom", label: "From – to" },
        ]}
      />
      {range === "custom" && <FromTo span={span} change={change} />}
      <Select
        label="In steps of"
        w={120}
        allowDeselect={false}
        value={span.granularity}
        onChange={(value) => change({ granularity: value as Granularity })}
        data={[
          { value: "minute", label: "A minute" },
          { value: "hour", label: "An hour" },
          { value: "day", label: "A day" },
        ]}
      />
      <Select
        label="Grouped by"
        w={150}
        allowDeselect={false}
        value={search.group ?? "none"}
        onChange={(value) => change({ group: value as GroupName })}
        data={[
          { value: "none", label: "Nothing" },
          { value: "cluster", label: "Cluster" },
          { value: "project", label: "Project" },
          { value: "principal", label: "Principal" },
        ]}
      />
      <Select
        label="Chart of"
        w={200}
        allowDeselect={false}
        value={search.meter ?? "cost"}
        onChange={(value) => change({ meter: value as MeterName })}
        data={Object.entries(meters).map(([value, { label }]) => ({ value, label }))}
      />
    </Group>
  );
}

function FromTo({ span, change }: Pick<Props, "span" | "change">) {
  const set = (name: "from" | "to", text: string) => {
    const at = moment(text);
    if (at) change({ [name]: at });
  };
  return (
    <>
      <TextInput
        label={`From (${zone()})`}
        type="datetime-local"
        value={localTime(span.from)}
        onChange={(event) => set("from", event.currentTarget.value)}
      />
      <TextInput
        label={`To (${zone()})`}
        type="datetime-local"
        value={localTime(span.to)}
        onChange={(event) => set("to", event.currentTarget.value)}
      />
    </>
  );
}
