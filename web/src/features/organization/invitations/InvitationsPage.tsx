import { Badge, Button, Modal, Stack, Table, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconMailForward } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { Empty } from "@/components/Empty";
import { moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { complain, done } from "@/components/notify";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type Organization, useWorkspace } from "@/shell/workspace";
import { type Invitation, invitationsQuery, type RoleName } from "../api";
import { OfOrganization } from "../OfOrganization";
import { RoleSelect } from "../RoleSelect";
import { roleLabel } from "../roles";

export function InvitationsPage() {
  const [open, { open: ask, close }] = useDisclosure();
  const { organization } = useWorkspace();
  return (
    <Page
      title="Invitations"
      lead="Who was invited and has not come yet. An invitation is good for seven days; inviting again replaces it."
      actions={
        <Button onClick={ask} leftSection={<IconMailForward size={16} />} disabled={!organization}>
          Invite somebody
        </Button>
      }
    >
      <OfOrganization>{(shown) => <Invitations organization={shown} invite={ask} />}</OfOrganization>
      <Modal
        opened={open}
        onClose={close}
        title="Invite somebody"
        centered
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {organization && <Invite organization={organization} close={close} />}
      </Modal>
    </Page>
  );
}

function Invitations({ organization, invite }: { organization: Organization; invite: () => void }) {
  const invitations = useQuery(invitationsQuery(organization.id));
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: ({ id }: Invitation) => {
      const path = { organization: organization.id, invitation: id };
      return got(api.DELETE("/v1/organizations/{organization}/invitations/{invitation}", { params: { path } }));
    },
    onSuccess: (_, { email }) => done(`The invitation of ${email} is revoked.`),
    onError: complain,
    onSettled: () => queries.invalidateQueries({ queryKey: invitationsQuery(organization.id).queryKey }),
  });
  return (
    <Loaded query={invitations} lines={3}>
      {(all) =>
        all.length === 0 ? (
          <Empty icon={IconMailForward} title="Nobody is invited">
            <Text c="dimmed">Invite the people you work with: each gets a mail and, with it, a role.</Text>
            <Button variant="default" onClick={invite}>
              Invite somebody
            </Button>
          </Empty>
        ) : (
          <InvitationsTable invitations={all} busy={revoke.isPending} revoke={(one) => revoke.mutate(one)} />
        )
      }
    </Loaded>
  );
}

interface TableProps {
  invitations: Invitation[];
  busy: boolean;
  revoke: (invitation: Invitation) => void;
}

function InvitationsTable({ invitations, busy, revoke }: TableProps) {
  return (
    <Table.ScrollContainer minWidth={640} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table aria-label="Invitations" verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Address</Table.Th>
            <Table.Th>Role</Table.Th>
            <Table.Th>Invited</Table.Th>
            <Table.Th>Good until</Table.Th>
            <Table.Th>Actions</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {invitations.map((invitation) => (
            <Table.Tr key={invitation.id}>
              <Table.Td>{invitation.email}</Table.Td>
              <Table.Td>
                <Badge variant="light" tt="none">
                  {roleLabel(invitation.role)}
                </Badge>
              </Table.Td>
              <Table.Td title={`By ${invitation.invited_by}`}>{moment(invitation.created_at)}</Table.Td>
              <Table.Td>{moment(invitation.expires_at)}</Table.Td>
              <Table.Td>
                <Button
                  size="compact-sm"
                  variant="default"
                  disabled={busy}
                  onClick={() => revoke(invitation)}
                  aria-label={`Revoke the invitation of ${invitation.email}`}
                >
                  Revoke
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Invite({ organization, close }: { organization: Organization; close: () => void }) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { email: "", role: "developer" as RoleName } });
  const { submit, error } = useSubmit(form, async (body) => {
    const params = { path: { organization: organization.id } };
    await got(api.POST("/v1/organizations/{organization}/invitations", { body, params }));
    await queries.invalidateQueries({ queryKey: invitationsQuery(organization.id).queryKey });
    done(`${body.email} is invited: a mail is under way.`);
    close();
  });
  const body = form.values;
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label="Email address"
          type="email"
          required
          maxLength={254}
          autoComplete="off"
          data-autofocus
          {...form.getInputProps("email")}
        />
        <RoleSelect
          label="Role in the whole organization"
          description="For less than all of it, take Viewer, and give roles in projects and clusters under Members."
          {...form.getInputProps("role")}
        />
        {error !== undefined && <ProblemAlert error={error} />}
        <Button type="submit" loading={form.submitting}>
          Send the invitation
        </Button>
        <AsCode
          request={{ method: "POST", path: `/v1/organizations/${organization.id}/invitations`, body }}
          resource={{
            type: "firn_invitation",
            name: body.email.split("@")[0] ?? "",
            attributes: { organization: organization.id, ...body },
          }}
        />
      </Stack>
    </form>
  );
}
