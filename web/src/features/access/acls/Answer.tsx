import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconBan, IconCheck } from "@tabler/icons-react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type Acl, type AclBinding, accountName, type Explanation, type ServiceAccount } from "../api";
import { useChange } from "../saving";
import { aclsAsHcl, nameInHcl } from "./code";
import { DenyingAcls } from "./DenyingAcls";
import type { Question } from "./WhyDeniedPage";
import { namedSentence, sentence } from "./words";

interface Props {
  cluster: string;
  question: Question;
  answer: Explanation;
  accounts: readonly ServiceAccount[];
}

const rules: Record<Explanation["decided_by"], string> = {
  super_user: "Decided by: owners and admins may do everything",
  role: "Decided by: a role",
  acl: "Decided by: an ACL",
  default: "Decided by: what no ACL names is open in this cell",
  nothing: "Decided by: nothing allows it",
};

/** What decided, and the smallest change that would turn it round. */
export function Answer({ cluster, question, answer, accounts }: Props) {
  const { allowed, decided_by, acl, denying_acls, smallest_acl } = answer;
  const name = accountName(question.principal, accounts);
  const told = answer.sentence.replaceAll("in smallest_acl", "below");
  const said = name ? told.replaceAll(question.principal, name) : told;
  return (
    <Stack>
      <Alert
        role="status"
        color={allowed ? "teal" : "red"}
        icon={allowed ? <IconCheck size={18} /> : <IconBan size={18} />}
        title={allowed ? "Allowed" : "Denied"}
      >
        <Stack gap={4}>
          <Text size="sm">{said}</Text>
          <Text size="sm" c="dimmed">
            {rules[decided_by]}
          </Text>
          {acl && <Rule acl={acl} accounts={accounts} />}
        </Stack>
      </Alert>
      {denying_acls.length > 0 && <DenyingAcls cluster={cluster} ids={denying_acls} accounts={accounts} />}
      {smallest_acl && <Smallest cluster={cluster} acl={smallest_acl} accounts={accounts} />}
    </Stack>
  );
}

function Rule({ acl, accounts }: { acl: Acl; accounts: readonly ServiceAccount[] }) {
  return (
    <Text size="sm">
      The rule: <b>{namedSentence(acl, accounts)}</b>{" "}
      <Text span size="xs" c="dimmed" ff="monospace">
        {acl.id}
      </Text>
    </Text>
  );
}

interface SmallestProps {
  cluster: string;
  acl: AclBinding;
  accounts: readonly ServiceAccount[];
}

function Smallest({ cluster, acl, accounts }: SmallestProps) {
  const name = accountName(acl.principal, accounts);
  const create = useChange({
    send: (body: AclBinding) => got(api.POST("/v1/clusters/{cluster}/acls", { params: { path: { cluster } }, body })),
    touches: [["acls", cluster]],
    said: "The ACL is made",
  });
  const said = name ? sentence(acl).replace(acl.principal, name) : sentence(acl);
  return (
    <Alert variant="outline" title="The smallest ACL that would allow it">
      <Stack gap="sm">
        <Text size="sm" fw={600}>
          {said}
        </Text>
        {create.error && <ProblemAlert error={create.error} />}
        <Group>
          <Button onClick={() => create.mutate(acl)} loading={create.isPending}>
            Create this ACL
          </Button>
        </Group>
        <AsCode
          request={{ method: "POST", path: `/v1/clusters/${cluster}/acls`, body: acl }}
          resource={aclsAsHcl(cluster, nameInHcl(acl, accounts), [acl])}
        />
      </Stack>
    </Alert>
  );
}
