import { Badge, Button, Modal, Stack, Table, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconMailForward } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { Empty } from "@/components/Empty";
import { moment } from "@/components/format";
import { Listing, RowActions } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { RoleSelect } from "@/components/RoleSelect";
import { type RoleName, roleLabel } from "@/components/roles";
import { useSubmit } from "@/components/useSubmit";
import { type Organization, useWorkspace } from "@/shell/workspace";
import { type Invitation, invitationsQuery } from "../api";
import { OfOrganization } from "../OfOrganization";

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
  const [revoked, revoke] = useState<Invitation>();
  return (
    <>
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
            <InvitationsTable invitations={all} revoke={revoke} />
          )
        }
      </Loaded>
      {revoked && <Revoke organization={organization} invitation={revoked} close={() => revoke(undefined)} />}
    </>
  );
}

interface RevokeProps {
  organization: Organization;
  invitation: Invitation;
  close: () => void;
}

function Revoke({ organization, invitation: { id, email }, close }: RevokeProps) {
  const queries = useQueryClient();
  const revoke = async () => {
    const path = { organization: organization.id, invitation: id };
    await got(api.DELETE("/v1/organizations/{organization}/invitations/{invitation}", { params: { path } }));
    await queries.invalidateQueries({ queryKey: invitationsQuery(organization.id).queryKey });
    done(`The invitation of ${email} is revoked.`);
  };
  return (
    <ConfirmTyped
      opened
      onClose={close}
      title="Revoke an invitation"
      word={email}
      action="Revoke"
      code={{
        request: { method: "DELETE", path: `/v1/organizations/${organization.id}/invitations/${id}` },
        removed: { type: "firn_invitation", name: nameOf(email) },
      }}
      onConfirm={revoke}
    >
      The link in its mail stops working. Whoever has accepted it already stays a member.
    </ConfirmTyped>
  );
}

/** What Terraform calls the invitation of an address. */
function nameOf(email: string): string {
  return email.split("@")[0] ?? "";
}

interface TableProps {
  invitations: Invitation[];
  revoke: (invitation: Invitation) => void;
}

function InvitationsTable({ invitations, revoke }: TableProps) {
  return (
    <Listing label="Invitations" headings={["Address", "Role", "Invited", "Good until", ""]} width={640}>
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
          <RowActions>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => revoke(invitation)}
              aria-label={`Revoke the invitation of ${invitation.email}`}
            >
              Revoke
            </Button>
          </RowActions>
        </Table.Tr>
      ))}
    </Listing>
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
            name: nameOf(body.email),
            attributes: { organization: organization.id, ...body },
          }}
        />
      </Stack>
    </form>
  );
}
