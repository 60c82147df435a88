/** What several pages of groups show. */
import { Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { count, duration } from "@/components/format";

export interface Heading {
  label: string;
  /** Numbers stand at the right. */
  number?: boolean;
}

interface Props {
  label: string;
  headings: readonly Heading[];
  width?: number;
  /** From this height on it scrolls by itself. */
  height?: number;
  children: ReactNode;
}

/** A table that scrolls by itself where there is too little room. */
export function Listing({ label, headings, width = 640, height, children }: Props) {
  return (
    <Table.ScrollContainer
      minWidth={width}
      {...(height ? { maxHeight: height } : {})}
      scrollAreaProps={{ viewportProps: { tabIndex: 0, "aria-label": label, role: "region" } }}
    >
      <Table verticalSpacing="xs" highlightOnHover stickyHeader aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {headings.map((heading) => (
              <Table.Th key={heading.label} scope="col" ta={heading.number ? "right" : "left"}>
                {heading.label}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

interface LagProps {
  records: number | null | undefined;
  seconds: number | null | undefined;
}

/** How far somebody is behind: records, and below how old the oldest is. */
export function Lag({ records, seconds }: LagProps) {
  const behind = (records ?? 0) > 0;
  return (
    <>
      <Text size="sm" fw={behind ? 600 : 400} span>
        {count(records)}
      </Text>
      {behind && (
        <Text size="xs" c="dimmed">
          {seconds === null || seconds === undefined ? "age not known" : `oldest ${duration(Math.round(seconds))}`}
        </Text>
      )}
    </>
  );
}
