import { Alert, Button, Group, List, Stack, ThemeIcon } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { AclResult, ServiceAccount } from "../api";
import type { Grant } from "./grant";
import { bindingsOf } from "./grant";
import { bindingKey, namedSentence } from "./words";

interface Props {
  cluster: string;
  grant: Grant;
  results: AclResult[];
  accounts: readonly ServiceAccount[];
}

/** What came of each ACL, and where to go on. */
export function Results({ cluster, grant, results, accounts }: Props) {
  const acls = bindingsOf(grant);
  const failed = results.filter(({ problem }) => problem).length;
  const question = acls[0];
  return (
    <Stack>
      <Alert
        role="status"
        color={failed > 0 ? "red" : "teal"}
        title={failed > 0 ? `${failed} of ${results.length} could not be made` : "In force"}
      >
        <List spacing="xs" size="sm" center>
          {results.map((result, at) => (
            <Result
              key={acls[at] ? bindingKey(acls[at]) : at}
              result={result}
              said={acls[at] ? namedSentence(acls[at], accounts) : ""}
            />
          ))}
        </List>
      </Alert>
      <Group>
        <Button
          renderRoot={(props) => (
            <Link
              {...props}
              to="/clusters/$cluster/access/acls"
              params={{ cluster }}
              search={{ principal: grant.principal }}
            />
          )}
        >
          See its ACLs
        </Button>
        {question && (
          <Button
            variant="default"
            renderRoot={(props) => (
              <Link
                {...props}
                to="/clusters/$cluster/access/why-denied"
                params={{ cluster }}
                search={{
                  principal: question.principal,
                  operation: question.operation,
                  resource_type: question.resource_type,
                  resource_name: question.resource_name,
                }}
              />
            )}
          >
            Ask whether it may now
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function outcome({ status, problem }: AclResult): string {
  if (problem) return `: ${problem.detail}`;
  if (status === 200) return ": it was there already";
  return status === 202 ? ": made, and in force everywhere soon" : "";
}

function Result({ result, said }: { result: AclResult; said: string }) {
  const icon = result.problem ? <IconX size={12} /> : <IconCheck size={12} />;
  return (
    <List.Item
      icon={
        <ThemeIcon size={18} radius="xl" color={result.problem ? "red" : "teal"}>
          {icon}
        </ThemeIcon>
      }
    >
      {said}
      {outcome(result)}
    </List.Item>
  );
}
