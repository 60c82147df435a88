import { Anchor, Button, Group, Select, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconRobot } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Ago } from "@/components/Ago";
import { Empty } from "@/components/Empty";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { projectsQuery, useWorkspace } from "@/shell/workspace";
import { type ServiceAccount, serviceAccountsQuery } from "../api";
import { Id } from "../parts";
import { NewServiceAccount } from "./NewServiceAccount";

/** The service accounts of a project. */
export function ServiceAccountsPage() {
  const { project: wanted } = useSearch({ from: "/app/service-accounts" });
  const navigate = useNavigate();
  const { organization } = useWorkspace();
  const { data: projects = [] } = useQuery(projectsQuery(organization?.id));
  const project = projects.find(({ id }) => id === wanted) ?? projects[0];
  const accounts = useQuery(serviceAccountsQuery(project?.id));
  const [making, { open, close }] = useDisclosure();
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={open} disabled={!project}>
      Create service account
    </Button>
  );
  return (
    <Page
      title="Service accounts"
      lead="Who programs are. Each has API keys for this API, passwords for Kafka, and what roles and ACLs let it do."
      actions={create}
    >
      <Group>
        <Select
          label="Project"
          data={projects.map(({ id, name }) => ({ value: id, label: name }))}
          value={project?.id ?? null}
          onChange={(id) => void navigate({ to: "/service-accounts", search: id ? { project: id } : {} })}
          allowDeselect={false}
          w={260}
        />
      </Group>
      <Loaded query={accounts}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={IconRobot} title="No program has an account here yet">
              <Text size="sm">
                Make one for each program, so that each has its own keys and no more rights than it needs.
              </Text>
              {create}
            </Empty>
          ) : (
            <Listing label="Service accounts" headings={["Name", "Description", "Created", "Id"]}>
              {items.map((account) => (
                <AccountRow key={account.id} account={account} />
              ))}
            </Listing>
          )
        }
      </Loaded>
      {project && <NewServiceAccount project={project.id} opened={making} onClose={close} />}
    </Page>
  );
}

function AccountRow({ account }: { account: ServiceAccount }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor
          fw={600}
          renderRoot={(props) => <Link {...props} to="/service-accounts/$account" params={{ account: account.id }} />}
        >
          {account.name}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <Text size="sm" lineClamp={2} maw={360}>
          {account.description || "–"}
        </Text>
      </Table.Td>
      <Table.Td>
        <Text size="sm">
          <Ago at={account.created_at} />
        </Text>
      </Table.Td>
      <Table.Td>
        <Id id={account.id} what="id" />
      </Table.Td>
    </Table.Tr>
  );
}
