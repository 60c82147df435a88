import { Button, Group, Stack, Table } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { moment } from "@/components/format";
import { Listing, RowActions } from "@/components/Listing";
import { type Acl, accountName, type ServiceAccount } from "../api";
import { Dialog } from "../parts";
import { Permission } from "./Permission";
import { patternText } from "./words";

interface Props {
  cluster: string;
  acls: Acl[];
  accounts: readonly ServiceAccount[];
  onClose: () => void;
  onDelete: (acls: Acl[]) => void;
}

/** The ACLs of one cell of the matrix: from where, since when, and each of them to delete. */
export function CellDetails({ cluster, acls, accounts, onClose, onDelete }: Props) {
  const [first] = acls;
  if (!first) return null;
  const { principal, resource_type, pattern_type, resource_name } = first;
  const title = `${accountName(principal, accounts) ?? principal} on ${patternText(resource_type, pattern_type, resource_name)}`;
  const grant = { principal, ...(resource_type === "topic" ? { topic: resource_name } : {}) };
  return (
    <Dialog opened onClose={onClose} title={title}>
      <Stack>
        <Listing label="ACLs of this cell" headings={["What", "From", "Since", ""]} width={420}>
          {acls.map((acl) => (
            <Table.Tr key={acl.id}>
              <Table.Td>
                <Permission permission={acl.permission} operation={acl.operation} />
              </Table.Td>
              <Table.Td className="mono">{acl.host === "*" ? "anywhere" : acl.host}</Table.Td>
              <Table.Td>{moment(acl.created_at)}</Table.Td>
              <RowActions>
                <Button
                  size="compact-sm"
                  variant="default"
                  onClick={() => onDelete([acl])}
                  aria-label={`Delete: ${acl.permission} ${acl.operation}`}
                >
                  Delete
                </Button>
              </RowActions>
            </Table.Tr>
          ))}
        </Listing>
        <Group justify="flex-end">
          {acls.length > 1 && (
            <Button color="red" variant="outline" onClick={() => onDelete(acls)}>
              Delete all {acls.length}
            </Button>
          )}
          <Button
            renderRoot={(props) => (
              <Link {...props} to="/clusters/$cluster/access/acls/new" params={{ cluster }} search={grant} />
            )}
          >
            Allow or deny more
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
