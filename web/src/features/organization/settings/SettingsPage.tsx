import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { Card } from "@/components/Card";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { CopyField } from "@/components/CopyField";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type Organization, organizationsQuery, useWorkspace } from "@/shell/workspace";
import { organizationQuery } from "../api";
import { OfOrganization } from "../OfOrganization";
import { LoginProviders } from "./LoginProviders";
import { Networks } from "./Networks";

export function SettingsPage() {
  return (
    <Page title="Settings" lead="Of the organization: its name, from where it is reached, how its members log in.">
      <OfOrganization>{(organization) => <Settings organization={organization} />}</OfOrganization>
    </Page>
  );
}

function Settings({ organization }: { organization: Organization }) {
  const found = useQuery(organizationQuery(organization.id));
  return (
    <Stack maw={760}>
      <Loaded query={found} lines={3}>
        {({ value, etag }) => <Name organization={value} etag={etag} />}
      </Loaded>
      <LoginProviders organization={organization.id} />
      <Networks organization={organization.id} />
      <Ending organization={organization} />
    </Stack>
  );
}

function Name({ organization, etag }: { organization: Organization; etag: string }) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { name: organization.name } });
  const path = { organization: organization.id };
  const { submit, error } = useSubmit(form, async (body) => {
    await got(api.PATCH("/v1/organizations/{organization}", { body, params: { path, header: { "If-Match": etag } } }));
    await Promise.all([
      queries.invalidateQueries({ queryKey: organizationQuery(organization.id).queryKey }),
      queries.invalidateQueries({ queryKey: organizationsQuery.queryKey }),
    ]);
    form.resetDirty();
    done("The name is changed.");
  });
  return (
    <Card title="The organization">
      <CopyField label="the organization's id" value={organization.id} />
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            maxLength={100}
            required
            autoComplete="organization"
            {...form.getInputProps("name")}
          />
          {error !== undefined && <ProblemAlert error={error} />}
          <Group>
            <Button type="submit" loading={form.submitting} disabled={!form.isDirty()}>
              Save the name
            </Button>
          </Group>
          <AsCode
            request={{
              method: "PATCH",
              path: `/v1/organizations/${organization.id}`,
              body: { name: form.values.name },
            }}
            undeclared="Terraform reads an organization, but does not change its name."
          />
        </Stack>
      </form>
    </Card>
  );
}

function Ending({ organization }: { organization: Organization }) {
  const [open, { open: ask, close }] = useDisclosure();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { choose } = useWorkspace();
  const end = async () => {
    const path = { organization: organization.id };
    await got(api.DELETE("/v1/organizations/{organization}", { params: { path, header: { "If-Match": "*" } } }));
    choose("");
    await queries.invalidateQueries();
    done(`${organization.name} has ended.`);
    await navigate({ to: "/clusters" });
  };
  return (
    <Card
      title="Danger zone"
      lead="An organization can end once it has no clusters and no service accounts any more. Nobody is a member of it afterwards; this cannot be taken back."
    >
      <Group>
        <Button color="red" variant="outline" onClick={ask}>
          End the organization
        </Button>
      </Group>
      <ConfirmTyped
        opened={open}
        onClose={close}
        title="End the organization"
        word={organization.name}
        action="End it for good"
        code={{
          request: { method: "DELETE", path: `/v1/organizations/${organization.id}` },
          undeclared: "Terraform reads an organization, but neither makes nor ends one.",
        }}
        onConfirm={end}
      >
        All members, invitations, projects and settings of {organization.name} go. This cannot be taken back.
      </ConfirmTyped>
    </Card>
  );
}
