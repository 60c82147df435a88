import { Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconPlus, IconQuestionMark, IconShieldLock, IconTrash } from "@tabler/icons-react";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { count } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { type Acl, type ServiceAccount, usePrincipals } from "../api";
import { useClusterId } from "../parts";
import { AclFilters } from "./AclFilters";
import { AclList } from "./AclList";
import { AclMatrix } from "./AclMatrix";
import { CellDetails } from "./CellDetails";
import { DeleteAcls } from "./DeleteAcls";
import { type AclFilter, useAcls } from "./useAcls";

/** Who may do what in a cluster. */
export function AclsPage() {
  const cluster = useClusterId();
  const { view = "matrix", ...filter } = useSearch({ from: "/app/clusters/$cluster/access/acls" });
  const navigate = useNavigate();
  const { accounts, ready } = usePrincipals(cluster);
  const pages = useAcls(cluster, filter);
  const go = (filter: AclFilter, view: string) =>
    void navigate({
      to: "/clusters/$cluster/access/acls",
      params: { cluster },
      search: { ...filter, ...(view === "matrix" ? {} : { view }) },
      replace: true,
    });
  const filtered = Object.keys(filter).length > 0;
  return (
    <Page
      title="ACLs"
      lead="Who may do what to which topics and groups, beside roles. What denies wins; owners and admins may do everything."
      actions={<Actions cluster={cluster} />}
    >
      {ready && <AclFilters filter={filter} accounts={accounts} onChange={(changed) => go(changed, view)} />}
      <Loaded query={pages} lines={8}>
        {() =>
          pages.items.length === 0 ? (
            <None cluster={cluster} filtered={filtered} />
          ) : (
            <Stack gap="xs">
              <Group justify="space-between">
                <Text size="sm" c="dimmed" role="status">
                  {count(pages.items.length)} {pages.items.length === 1 ? "ACL" : "ACLs"}
                  {pages.hasNextPage && !pages.isFetchNextPageError && ", more are coming…"}
                </Text>
                <SegmentedControl
                  aria-label="View"
                  size="xs"
                  data={[
                    { value: "matrix", label: "Matrix" },
                    { value: "list", label: "List" },
                  ]}
                  value={view}
                  onChange={(chosen) => go(filter, chosen)}
                />
              </Group>
              <Shown cluster={cluster} view={view} acls={pages.items} accounts={accounts} />
            </Stack>
          )
        }
      </Loaded>
    </Page>
  );
}

function Actions({ cluster }: { cluster: string }) {
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconQuestionMark size={16} />}
        renderRoot={(props) => <Link {...props} to="/clusters/$cluster/access/why-denied" params={{ cluster }} />}
      >
        Why denied?
      </Button>
      <Button
        leftSection={<IconPlus size={16} />}
        renderRoot={(props) => <Link {...props} to="/clusters/$cluster/access/acls/new" params={{ cluster }} />}
      >
        Allow or deny
      </Button>
    </>
  );
}

function None({ cluster, filtered }: { cluster: string; filtered: boolean }) {
  if (filtered)
    return (
      <Empty icon={IconShieldLock} title="No ACL is like that">
        <Text size="sm">Loosen the filter. What no ACL and no role allows is denied.</Text>
      </Empty>
    );
  return (
    <Empty icon={IconShieldLock} title="This cluster has no ACL yet">
      <Text size="sm">Until it has some, only roles open it. Let a program do what it needs, and nothing else:</Text>
      <Button
        leftSection={<IconPlus size={16} />}
        renderRoot={(props) => <Link {...props} to="/clusters/$cluster/access/acls/new" params={{ cluster }} />}
      >
        Allow or deny
      </Button>
    </Empty>
  );
}

interface ShownProps {
  cluster: string;
  view: string;
  acls: Acl[];
  accounts: readonly ServiceAccount[];
}

function Shown({ cluster, view, acls, accounts }: ShownProps) {
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const [opened, open] = useState<Acl[]>([]);
  const [going, remove] = useState<Acl[]>([]);
  const chosen = acls.filter(({ id }) => selected.has(id));
  const close = () => {
    remove([]);
    select(new Set());
  };
  return (
    <>
      {view === "list" ? (
        <>
          <Group mih={30}>
            <Button
              size="xs"
              color="red"
              variant="outline"
              disabled={chosen.length === 0}
              leftSection={<IconTrash size={14} />}
              onClick={() => remove(chosen)}
            >
              {chosen.length === 0 ? "Delete" : `Delete ${chosen.length} selected`}
            </Button>
          </Group>
          <AclList acls={acls} accounts={accounts} selected={selected} onSelect={select} />
        </>
      ) : (
        <AclMatrix acls={acls} accounts={accounts} onOpen={open} />
      )}
      <CellDetails
        cluster={cluster}
        acls={opened}
        accounts={accounts}
        onClose={() => open([])}
        onDelete={(doomed) => {
          open([]);
          remove(doomed);
        }}
      />
      <DeleteAcls cluster={cluster} acls={going} onClose={close} />
    </>
  );
}
