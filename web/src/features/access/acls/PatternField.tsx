import { SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { topicsQuery } from "../api";
import type { Pattern, PatternKind } from "./grant";
import { spoken } from "./words";

interface Props {
  cluster: string;
  label: string;
  /** The kind of resource. */
  kind: string;
  pattern: Pattern;
  onChange: (pattern: Pattern) => void;
}

/** Which resources: one, those that begin so, or all; of topics also which these are now. */
export function PatternField({ cluster, label, kind, pattern, onChange }: Props) {
  return (
    <Stack gap="xs">
      <Text size="sm" fw={500}>
        {label}
      </Text>
      <SegmentedControl<PatternKind>
        aria-label={`${label}: which`}
        data={[
          { value: "literal", label: "One, by name" },
          { value: "prefixed", label: "By prefix" },
          { value: "all", label: "All" },
        ]}
        value={pattern.kind}
        onChange={(kind) => onChange({ ...pattern, kind })}
      />
      {pattern.kind !== "all" && (
        <TextInput
          aria-label={pattern.kind === "prefixed" ? `${label}: prefix` : `${label}: name`}
          placeholder={pattern.kind === "prefixed" ? "orders." : "orders.placed"}
          value={pattern.name}
          onChange={({ currentTarget }) => onChange({ ...pattern, name: currentTarget.value })}
          autoComplete="off"
          spellCheck={false}
          maxLength={kind === "topic" ? 249 : 1024}
        />
      )}
      {kind === "topic" && <Matching cluster={cluster} pattern={pattern} />}
      {kind !== "topic" && pattern.kind === "all" && (
        <Text size="xs" c="dimmed">
          Every {spoken(kind)} there is, and every one to come.
        </Text>
      )}
    </Stack>
  );
}

/** The topics that a pattern stands for now. */
function Matching({ cluster, pattern }: { cluster: string; pattern: Pattern }) {
  const [prefix] = useDebouncedValue(pattern.kind === "all" ? "" : pattern.name.trim(), 200);
  const { data } = useQuery({ ...topicsQuery(cluster, prefix), enabled: pattern.kind === "all" || prefix !== "" });
  if (!data || (pattern.kind !== "all" && prefix === "")) return null;
  const names = pattern.kind === "literal" ? data.names.filter((name) => name === prefix) : data.names;
  return (
    <Text size="xs" c="dimmed" role="status" style={{ overflowWrap: "anywhere" }}>
      {told(pattern.kind, names, data.more)}
      {pattern.kind === "all" && " The audit topic is opened only by its own name."}
    </Text>
  );
}

function told(kind: PatternKind, names: readonly string[], more: boolean): string {
  if (kind === "literal")
    return names.length > 0 ? "This topic is there." : "There is no such topic yet; it holds as soon as there is.";
  if (names.length === 0) return "It matches no topic yet; it holds for those to come.";
  const list = names.join(", ");
  return `Matches ${more ? "many topics, first" : names.length === 1 ? "1 topic" : `${names.length} topics`}: ${list}${more ? ", …" : ""}; and those to come.`;
}
