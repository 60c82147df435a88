import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { done } from "@/components/notify";
import { usePerson } from "@/shell/session";
import type { Organization } from "@/shell/workspace";
import type { Member } from "../api";

interface Props {
  organization: Organization;
  member: Member | undefined;
  onClose: () => void;
}

/** Ends a membership: somebody else's, or one's own. */
export function RemoveMember({ organization, member, onClose }: Props) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const you = usePerson().id === member?.id;
  const remove = async () => {
    if (!member) return;
    const path = { organization: organization.id, member: member.id };
    await got(api.DELETE("/v1/organizations/{organization}/members/{member}", { params: { path } }));
    done(you ? `You have left ${organization.name}.` : `${member.name} is no member any more.`);
    await queries.invalidateQueries();
    if (you) await navigate({ to: "/clusters" });
  };
  return (
    <ConfirmTyped
      opened={member !== undefined}
      onClose={onClose}
      title={you ? "Leave the organization" : "Remove a member"}
      word={member?.email ?? ""}
      action={you ? "Leave" : "Remove"}
      code={{
        request: { method: "DELETE", path: `/v1/organizations/${organization.id}/members/${member?.id}` },
        undeclared:
          "Members are people who have accepted an invitation: Terraform declares none, only what they are invited to.",
      }}
      onConfirm={remove}
    >
      {you ? "You lose" : `${member?.name ?? ""} loses`} all roles in {organization.name} at once. Service accounts and
      their credentials stay. To come back takes an invitation.
    </ConfirmTyped>
  );
}
