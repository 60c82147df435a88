import { Anchor, Button, Center, Group, Stack, Table, Text } from "@mantine/core";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import { api, got } from "@/api/client";
import { usePages } from "@/api/pages";
import { Empty } from "@/components/Empty";
import { moment } from "@/components/format";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { AuditDetail } from "./AuditDetail";
import { AuditFilters } from "./AuditFilters";
import { type AuditEntry, Decision } from "./Decision";
import { usePrincipals } from "./principals";
import type { AuditSearch } from "./search";

/** Whose trail it is. */
export type Trail = { organization: string } | { cluster: string };

interface Props {
  trail: Trail;
  search: AuditSearch;
  change: (search: AuditSearch) => void;
}

function page(trail: Trail, query: AuditSearch & { page_size: number; cursor?: string }, signal: AbortSignal) {
  if ("organization" in trail) {
    return got(api.GET("/v1/organizations/{organization}/audit", { params: { path: trail, query }, signal }));
  }
  return got(api.GET("/v1/clusters/{cluster}/audit", { params: { path: trail, query }, signal }));
}

/** Where the trail is as a file: lines of JSON, of the chosen time. */
function exportPath(trail: Trail, { from, to }: AuditSearch): string {
  const of = "organization" in trail ? `organizations/${trail.organization}` : `clusters/${trail.cluster}`;
  const query = new URLSearchParams({ ...(from ? { from } : {}), ...(to ? { to } : {}) });
  return `/v1/${of}/audit/export${query.size > 0 ? `?${query}` : ""}`;
}

/** A trail, the newest first: filters, entries, and each as a whole. */
export function AuditTrail({ trail, search, change }: Props) {
  const [entry, setEntry] = useState<AuditEntry>();
  const entries = usePages<AuditEntry>({
    key: ["audit", trail, search],
    page: (cursor, signal) => page(trail, { ...search, page_size: 50, ...(cursor ? { cursor } : {}) }, signal),
  });
  return (
    <Stack>
      <AuditFilters search={search} change={change} />
      <Loaded query={entries}>
        {() =>
          entries.items.length === 0 ? (
            <Nothing filtered={Object.keys(search).length > 0} clear={() => change({})} />
          ) : (
            <>
              <Entries entries={entries.items} open={setEntry} />
              {entries.hasNextPage && (
                <Center>
                  <Button
                    variant="default"
                    onClick={() => void entries.fetchNextPage()}
                    loading={entries.isFetchingNextPage}
                  >
                    Older entries
                  </Button>
                </Center>
              )}
            </>
          )
        }
      </Loaded>
      {entries.isSuccess && <Export path={exportPath(trail, search)} />}
      <AuditDetail entry={entry} close={() => setEntry(undefined)} only={(found) => change({ ...search, ...found })} />
    </Stack>
  );
}

function Export({ path }: { path: string }) {
  return (
    <Group>
      <Button
        component="a"
        href={path}
        download="audit.jsonl"
        variant="default"
        leftSection={<IconDownload size={16} />}
      >
        Export as JSON lines
      </Button>
      <Text size="sm" c="dimmed">
        All entries of the chosen time, chained by hashes: <code>firn audit verify</code> checks the file.
      </Text>
    </Group>
  );
}

function Nothing({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  return (
    <Empty icon={IconHistory} title={filtered ? "No entry matches" : "There is no entry yet"}>
      {filtered && (
        <Button variant="default" onClick={clear}>
          Show all
        </Button>
      )}
    </Empty>
  );
}

function Entries({ entries, open }: { entries: AuditEntry[]; open: (entry: AuditEntry) => void }) {
  const names = usePrincipals();
  return (
    <Listing label="Entries" headings={["Time", "What", "Who", "To what", "Decision"]} width={720}>
      {entries.map((entry) => (
        <Table.Tr key={entry.id}>
          <Table.Td>{moment(entry.at)}</Table.Td>
          <Table.Td>
            <Anchor
              component="button"
              type="button"
              size="sm"
              onClick={() => open(entry)}
              aria-label={`${entry.action}, ${moment(entry.at)}: the whole entry`}
            >
              {entry.action}
            </Anchor>
          </Table.Td>
          <Table.Td style={{ overflowWrap: "anywhere" }}>
            <Who principal={entry.principal} name={names.get(entry.principal)} />
          </Table.Td>
          <Table.Td style={{ overflowWrap: "anywhere" }}>
            {entry.resource_kind} {entry.resource}
          </Table.Td>
          <Table.Td>
            <Decision decision={entry.decision} />
          </Table.Td>
        </Table.Tr>
      ))}
    </Listing>
  );
}

function Who({ principal, name }: { principal: string; name: string | undefined }) {
  if (name === undefined) return principal;
  return (
    <>
      {name}
      <Text size="xs" c="dimmed" className="mono" truncate maw={180} title={principal}>
        {principal}
      </Text>
    </>
  );
}
