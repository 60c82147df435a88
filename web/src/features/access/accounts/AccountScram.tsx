import { Anchor, Stack, Table, Text } from "@mantine/core";
import { IconPassword } from "@tabler/icons-react";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ago } from "@/components/Ago";
import { Empty } from "@/components/Empty";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type Cluster, clustersQuery } from "@/shell/workspace";
import { type ScramCredential, type ServiceAccount, scramQuery } from "../api";
import { Expiry } from "../parts";

/** The Kafka passwords of a service account, in all clusters of its project. */
export function AccountScram({ account }: { account: ServiceAccount }) {
  const clusters = useQuery(clustersQuery(account.project));
  return (
    <Loaded query={clusters}>
      {(items) => (
        <Stack>
          <Credentials account={account} clusters={items} />
        </Stack>
      )}
    </Loaded>
  );
}

function Credentials({ account, clusters }: { account: ServiceAccount; clusters: readonly Cluster[] }) {
  const lists = useQueries({ queries: clusters.map(({ id }) => scramQuery(id, account.id)) });
  const error = lists.find((list) => list.error)?.error;
  if (error) return <ProblemAlert error={error} />;
  const rows = clusters.flatMap((cluster, at) =>
    (lists[at]?.data ?? []).map((credential) => ({ cluster, credential })),
  );
  return (
    <>
      {rows.length > 0 ? (
        <Listing label="Kafka passwords" headings={["Cluster", "User name", "Expires", "Last used"]}>
          {rows.map((row) => (
            <CredentialRow key={row.credential.id} {...row} />
          ))}
        </Listing>
      ) : (
        <Empty icon={IconPassword} title="No Kafka password yet">
          <Text size="sm">Passwords (SCRAM) are made in the cluster that they are for.</Text>
        </Empty>
      )}
      <Text size="sm">
        Create and revoke:{" "}
        {clusters.map(({ id, name }, at) => (
          <span key={id}>
            {at > 0 && ", "}
            <Anchor
              underline="always"
              renderRoot={(props) => <Link {...props} to="/clusters/$cluster/access/scram" params={{ cluster: id }} />}
            >
              {name}
            </Anchor>
          </span>
        ))}
        {clusters.length === 0 && "the project has no cluster yet"}
      </Text>
    </>
  );
}

function CredentialRow({ cluster, credential }: { cluster: Cluster; credential: ScramCredential }) {
  return (
    <Table.Tr>
      <Table.Td>{cluster.name}</Table.Td>
      <Table.Td className="mono">{credential.username}</Table.Td>
      <Table.Td>
        <Expiry at={credential.expires_at} />
      </Table.Td>
      <Table.Td>
        <Ago at={credential.last_used_at} />
      </Table.Td>
    </Table.Tr>
  );
}
