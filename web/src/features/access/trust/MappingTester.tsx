import { Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { tried } from "./mapping";

interface Props {
  rules: string;
  /** What the rules are applied to: "Subject of a certificate". */
  of: string;
  example: string;
}

/** Shows at once what rules make of a text. */
export function MappingTester({ rules, of, example }: Props) {
  const [text, setText] = useState(example);
  return (
    <Stack gap={4}>
      <TextInput
        label={`Try the rules: ${of}`}
        value={text}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
        classNames={{ input: "mono" }}
      />
      <Text size="sm" role="status" style={{ overflowWrap: "anywhere" }}>
        <Outcome rules={rules} text={text} />
      </Text>
    </Stack>
  );
}

function Outcome({ rules, text }: { rules: string; text: string }) {
  const outcome = tried(rules, text);
  if (outcome.kind === "unreadable") return outcome.why;
  if (outcome.kind === "none") return "No rule matches: such a client is not let in.";
  return (
    <>
      → <b className="mono">User:{outcome.name}</b>{" "}
      <Text span size="xs" c="dimmed">
        by {outcome.rule}
      </Text>
    </>
  );
}
