import { Badge, Button, Group, Table, Text, TextInput } from "@mantine/core";
import { IconMailForward, IconSearch, IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Empty } from "@/components/Empty";
import { moment } from "@/components/format";
import { Listing, RowActions } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { roleLabel } from "@/components/roles";
import { usePerson } from "@/shell/session";
import type { Organization } from "@/shell/workspace";
import { bindingsQuery, type Member, membersQuery, type Place, placeLabel, type RoleBinding, usePlaces } from "../api";
import { OfOrganization } from "../OfOrganization";
import { MemberRoles } from "./MemberRoles";
import { RemoveMember } from "./RemoveMember";

export function MembersPage() {
  return (
    <Page
      title="Members"
      lead="The people of the organization, and the roles that they have in all of it, in a project or in a cluster."
      actions={
        <Button component={Link} to="/organization/invitations" leftSection={<IconMailForward size={16} />}>
          Invite somebody
        </Button>
      }
    >
      <OfOrganization>{(organization) => <Members organization={organization} />}</OfOrganization>
    </Page>
  );
}

function Members({ organization }: { organization: Organization }) {
  const members = useQuery(membersQuery(organization.id));
  const bindings = useQuery(bindingsQuery(organization.id));
  const { places } = usePlaces(organization);
  const [words, setWords] = useState("");
  const [roles, setRoles] = useState<Member>();
  const [removed, setRemoved] = useState<Member>();
  const of = (member: Member) => bindings.data?.filter(({ principal }) => principal === member.id);
  return (
    <>
      <TextInput
        aria-label="Search members"
        placeholder="Name or address"
        leftSection={<IconSearch size={16} />}
        maw={320}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      {bindings.error && <ProblemAlert error={bindings.error} retry={() => void bindings.refetch()} />}
      <Loaded query={members}>
        {(all) => (
          <MembersTable
            members={all.filter((member) => matches(member, words))}
            of={of}
            places={places}
            onRoles={setRoles}
            onRemove={setRemoved}
          />
        )}
      </Loaded>
      <MemberRoles
        organization={organization}
        member={roles}
        bindings={(roles && of(roles)) ?? []}
        places={places}
        onClose={() => setRoles(undefined)}
      />
      <RemoveMember organization={organization} member={removed} onClose={() => setRemoved(undefined)} />
    </>
  );
}

function matches({ name, email }: Member, words: string): boolean {
  return `${name} ${email}`.toLowerCase().includes(words.trim().toLowerCase());
}

interface TableProps {
  members: Member[];
  /** Absent while they are not known. */
  of: (member: Member) => RoleBinding[] | undefined;
  places: Place[];
  onRoles: (member: Member) => void;
  onRemove: (member: Member) => void;
}

function MembersTable({ members, of, places, onRoles, onRemove }: TableProps) {
  if (members.length === 0) return <Empty icon={IconUsers} title="Nobody has that name" />;
  return (
    <Listing label="Members" headings={["Person", "Roles", "Since", ""]} width={520}>
      {members.map((member) => (
        <Row
          key={member.id}
          member={member}
          bindings={of(member)}
          places={places}
          onRoles={onRoles}
          onRemove={onRemove}
        />
      ))}
    </Listing>
  );
}

interface RowProps extends Omit<TableProps, "members" | "of"> {
  member: Member;
  bindings: RoleBinding[] | undefined;
}

function Row({ member, bindings, places, onRoles, onRemove }: RowProps) {
  const you = usePerson().id === member.id;
  return (
    <Table.Tr>
      <Table.Td>
        <Text fw={600} size="sm">
          {member.name}
          {you && " (you)"}
        </Text>
        <Text size="sm" c="dimmed">
          {member.email}
        </Text>
      </Table.Td>
      <Table.Td>
        <Group gap={6}>
          {bindings?.map((binding) => (
            <Badge key={binding.id} variant="light" tt="none">
              {roleLabel(binding.role)} · {placeLabel(places, binding.scope)}
            </Badge>
          ))}
          {!bindings?.length && (
            <Text size="sm" c="dimmed">
              {bindings ? "None" : "–"}
            </Text>
          )}
        </Group>
      </Table.Td>
      <Table.Td>
        <Text size="sm">{moment(member.joined_at)}</Text>
      </Table.Td>
      <RowActions>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => onRoles(member)}
          aria-label={`Roles of ${member.name}`}
        >
          Roles
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => onRemove(member)}
          aria-label={you ? "Leave the organization" : `Remove ${member.name}`}
        >
          {you ? "Leave" : "Remove"}
        </Button>
      </RowActions>
    </Table.Tr>
  );
}
