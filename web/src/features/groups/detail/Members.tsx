import { Stack, Table, Text } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { Empty } from "@/components/Empty";
import { Listing } from "@/components/Listing";
import type { GroupDetail } from "../api";

type Member = GroupDetail["members"][number];

/** Who is in the group, and what each reads. */
export function Members({ members }: { members: readonly Member[] }) {
  if (members.length === 0)
    return (
      <Empty icon={IconUsers} title="Nobody is in the group now">
        <Text size="sm" c="dimmed">
          Its committed offsets stay. Start a consumer with this <code>group.id</code>, and it goes on there.
        </Text>
      </Empty>
    );
  const headings = [{ label: "Member" }, { label: "From" }, { label: "Reads" }];
  return (
    <Listing label="Who reads what" headings={headings} width={440} height={420}>
      {members.map((member) => (
        <Table.Tr key={member.member_id}>
          <Table.Td maw={230} style={{ overflowWrap: "anywhere" }}>
            <Text size="sm" fw={600}>
              {member.client_id}
            </Text>
            <Text size="xs" c="dimmed" className="mono">
              {member.instance_id ? `static: ${member.instance_id}` : member.member_id}
            </Text>
          </Table.Td>
          <Table.Td className="mono">{member.host}</Table.Td>
          <Table.Td style={{ overflowWrap: "anywhere" }}>
            <Assignment member={member} />
          </Table.Td>
        </Table.Tr>
      ))}
    </Listing>
  );
}

function Assignment({ member }: { member: Member }) {
  if (member.assignment.length === 0) return <Text size="sm">nothing yet</Text>;
  return (
    <Stack gap={2}>
      {member.assignment.map(({ topic, partitions }) => (
        <Text size="sm" key={topic}>
          {topic}{" "}
          <Text span className="mono" size="xs" c="dimmed">
            {ranges(partitions)}
          </Text>
        </Text>
      ))}
    </Stack>
  );
}

/** Numbers in order as ranges: `0–3, 7`. */
export function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last[1] + 1 === number) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`)).join(", ");
}
