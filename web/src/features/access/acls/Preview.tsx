import { Alert, Badge, Stack, Table, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Listing } from "@/components/Listing";
import type { Acl, AclBinding, ServiceAccount } from "../api";
import { type Beaten, beatenBy } from "./conflicts";
import { Permission } from "./Permission";
import { bindingKey, impliedBy, namedSentence, patternText, spoken, typeLabel } from "./words";

interface Props {
  acls: readonly AclBinding[];
  /** Those that are there already. */
  there: readonly Acl[];
  denying: readonly Acl[];
  accounts: readonly ServiceAccount[];
}

/** The ACLs that are about to be made: which are there already, and which a deny beats. */
export function Preview({ acls, there, denying, accounts }: Props) {
  const present = new Set(there.map(bindingKey));
  return (
    <Stack gap="sm">
      <Listing label="ACLs to be made" headings={["What", "On", "From", "State"]} width={440}>
        {acls.map((acl) => (
          <Table.Tr key={bindingKey(acl)}>
            <Table.Td>
              <Permission permission={acl.permission} operation={acl.operation} />
              <Implied acl={acl} />
            </Table.Td>
            <Table.Td>
              <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
                {patternText(acl.resource_type, acl.pattern_type, acl.resource_name)}
              </Text>
              <Text size="xs" c="dimmed">
                {typeLabel(acl.resource_type)}
              </Text>
            </Table.Td>
            <Table.Td className="mono">{acl.host === "*" ? "anywhere" : acl.host}</Table.Td>
            <Table.Td>
              <Badge variant="default" tt="none">
                {present.has(bindingKey(acl)) ? "there already" : "new"}
              </Badge>
            </Table.Td>
          </Table.Tr>
        ))}
      </Listing>
      {acls.map((acl) => (
        <Warning key={bindingKey(acl)} acl={acl} beaten={beatenBy(acl, denying)} accounts={accounts} />
      ))}
    </Stack>
  );
}

function Implied({ acl }: { acl: AclBinding }) {
  const implied = acl.permission === "allow" ? impliedBy(acl.operation) : [];
  if (implied.length === 0) return null;
  return (
    <Text size="xs" c="dimmed">
      and with it {implied.map(spoken).join(", ")}
    </Text>
  );
}

interface WarningProps {
  acl: AclBinding;
  beaten: readonly Beaten[];
  accounts: readonly ServiceAccount[];
}

function Warning({ acl, beaten, accounts }: WarningProps) {
  if (beaten.length === 0) return null;
  const wholly = beaten.some((each) => each.wholly);
  const what = `${spoken(acl.operation)} on ${patternText(acl.resource_type, acl.pattern_type, acl.resource_name)}`;
  return (
    <Alert
      color={wholly ? "red" : "orange"}
      icon={<IconAlertTriangle size={18} />}
      title={wholly ? `A deny beats this: ${what}` : `Denied in part: ${what}`}
    >
      <Text size="sm">
        {wholly ? "It would allow nothing as long as this is there:" : "It would not hold where this denies it:"}
      </Text>
      {beaten.slice(0, 5).map(({ by }) => (
        <Text key={by.id} size="sm" fw={600}>
          {namedSentence(by, accounts)}
        </Text>
      ))}
      {beaten.length > 5 && <Text size="sm">and {beaten.length - 5} more</Text>}
    </Alert>
  );
}
