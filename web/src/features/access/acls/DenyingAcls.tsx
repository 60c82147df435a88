import { Alert, Button, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Acl, denyingAclsQuery, type ServiceAccount } from "../api";
import { DeleteAcls } from "./DeleteAcls";
import { namedSentence } from "./words";

interface Props {
  cluster: string;
  ids: readonly string[];
  accounts: readonly ServiceAccount[];
}

/** The ACLs that deny what was asked: each would have to go. */
export function DenyingAcls({ cluster, ids, accounts }: Props) {
  const { data: denying = [] } = useQuery(denyingAclsQuery(cluster));
  const [going, remove] = useState<Acl[]>([]);
  const named = denying.filter(({ id }) => ids.includes(id));
  return (
    <Alert variant="outline" color="red" title="What denies it would have to go first">
      {named.map((acl) => (
        <Text key={acl.id} size="sm">
          {namedSentence(acl, accounts)}
        </Text>
      ))}
      <Group mt="xs">
        <Button size="xs" variant="default" onClick={() => remove(named)} disabled={named.length === 0}>
          {ids.length === 1 ? "Delete it" : `Delete these ${ids.length}`}
        </Button>
      </Group>
      <DeleteAcls cluster={cluster} acls={going} onClose={() => remove([])} />
    </Alert>
  );
}
