import { Alert, Button, Group, List, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type Acl, type AclResult, usePrincipals } from "../api";
import { Dialog } from "../parts";
import { useChange } from "../saving";
import { nameInHcl } from "./code";
import { namedSentence } from "./words";

interface Props {
  cluster: string;
  /** None: nothing is asked. */
  acls: readonly Acl[];
  onClose: () => void;
}

/** How many one request may delete. */
const most = 200;

/** Deletes ACLs, as few requests as it takes. */
async function deleted(cluster: string, ids: readonly string[]): Promise<AclResult[]> {
  const results: AclResult[] = [];
  for (let from = 0; from < ids.length; from += most) {
    const body = { delete: ids.slice(from, from + most) };
    const params = { path: { cluster } };
    results.push(...(await got(api.POST("/v1/clusters/{cluster}/acls/batch", { params, body }))).results);
  }
  return results;
}

/** Asks before ACLs go, and says which way access changes: without a deny more is allowed. */
export function DeleteAcls({ cluster, acls, onClose }: Props) {
  return (
    <Dialog
      opened={acls.length > 0}
      onClose={onClose}
      title={acls.length === 1 ? "Delete this ACL?" : `Delete ${acls.length} ACLs?`}
    >
      <Question cluster={cluster} acls={acls} onClose={onClose} />
    </Dialog>
  );
}

function Question({ cluster, acls, onClose }: Props) {
  const { accounts } = usePrincipals(cluster);
  const [failed, setFailed] = useState<AclResult[]>([]);
  const ids = acls.map(({ id }) => id);
  const names = [...new Set(acls.slice(0, most).map((acl) => nameInHcl(acl, accounts)))];
  const denying = acls.filter(({ permission }) => permission === "deny").length;
  const deletion = useChange({
    send: () => deleted(cluster, ids),
    touches: [["acls", cluster]],
    onDone: (results) => {
      const without = results.filter(({ problem }) => problem);
      setFailed(without);
      if (without.length > 0) return;
      done(results.length === 1 ? "The ACL is deleted" : `${results.length} ACLs are deleted`);
      onClose();
    },
  });
  return (
    <Stack>
      <List size="sm" spacing={4} mah={260} style={{ overflowY: "auto" }} tabIndex={0}>
        {acls.slice(0, 100).map((acl) => (
          <List.Item key={acl.id}>{namedSentence(acl, accounts)}</List.Item>
        ))}
      </List>
      {acls.length > 100 && <Text size="sm">and {acls.length - 100} more</Text>}
      {denying > 0 && (
        <Alert color="orange" icon={<IconAlertTriangle size={18} />}>
          {denying === 1 ? "One of them denies" : `${denying} of them deny`}: once gone, what other ACLs and roles allow
          is allowed again.
        </Alert>
      )}
      {failed.length > 0 && (
        <Alert color="red" title={`${failed.length} could not be deleted`}>
          {failed.map(({ problem }) => (
            <Text key={problem?.detail} size="sm">
              {problem?.detail}
            </Text>
          ))}
        </Alert>
      )}
      {deletion.error && <ProblemAlert error={deletion.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button color="red.9" loading={deletion.isPending} onClick={() => deletion.mutate(undefined)} data-autofocus>
          {acls.length === 1 ? "Delete ACL" : `Delete ${acls.length} ACLs`}
        </Button>
      </Group>
      <AsCode
        request={{ method: "POST", path: `/v1/clusters/${cluster}/acls/batch`, body: { delete: ids.slice(0, most) } }}
        removed={names.map((name) => ({ type: "firn_acl", name }))}
      />
    </Stack>
  );
}
