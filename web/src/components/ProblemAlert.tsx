import { Alert, Anchor, Button, Code, Group, List, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { asProblem } from "@/api/problem";

interface Props {
  error: unknown;
  /** Asks again. */
  retry?: () => void;
}

/** Why something could not be done: the problem's sentence, each wrong place, and the request's id to name when asking for help. */
export function ProblemAlert({ error, retry }: Props) {
  const problem = asProblem(error);
  return (
    <Alert color="red" title={problem.title} icon={<IconAlertTriangle size={18} />} role="alert">
      <Text size="sm">{problem.message}</Text>
      {problem.faults.length > 0 && (
        <List size="sm" mt="xs">
          {problem.faults.map((fault) => (
            <List.Item key={`${fault.pointer} ${fault.detail}`}>
              <Code>{fault.pointer}</Code> {fault.detail}
            </List.Item>
          ))}
        </List>
      )}
      <Group mt="xs" gap="md">
        {problem.requestId && (
          <Text size="xs" c="dimmed">
            Request <Code>{problem.requestId}</Code>
          </Text>
        )}
        {problem.denial && (
          <Text size="xs" c="dimmed">
            Audit entry <Code>{problem.denial}</Code>
          </Text>
        )}
        {problem.code === "unauthenticated" && (
          <Anchor href="/login" target="_blank" size="xs" underline="always">
            Log in again in a new tab, then come back: what you typed stays here
          </Anchor>
        )}
        {retry && (
          <Button size="compact-xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}
