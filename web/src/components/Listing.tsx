import { Group, Table, VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";
import styles from "./listing.module.css";

export interface Heading {
  label: string;
  /** Numbers stand at the right. */
  number?: boolean;
}

interface Props {
  label: string;
  /** Headings; an empty one is that of the rows' buttons. */
  headings: readonly (Heading | string)[];
  /** With less room than this it scrolls sideways, with a bar that is always in sight. */
  width?: number;
  /** From this height on it scrolls by itself, below its headings. */
  height?: number;
  children: ReactNode;
}

/** A table. What its rows can do (`<RowActions>`) stays in sight while it is scrolled sideways. */
export function Listing({ label, headings, width = 640, height, children }: Props) {
  return (
    <Table.ScrollContainer
      minWidth={width}
      {...(height ? { maxHeight: height } : {})}
      scrollAreaProps={{
        type: "auto",
        scrollbarSize: 8,
        offsetScrollbars: "present",
        viewportProps: { tabIndex: 0, "aria-label": label, role: "region" },
      }}
    >
      <Table verticalSpacing="xs" highlightOnHover stickyHeader={height !== undefined} aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {headings.map((heading) => (
              <Head key={typeof heading === "string" ? heading : heading.label} heading={heading} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Head({ heading }: { heading: Heading | string }) {
  if (heading === "")
    return (
      <Table.Th scope="col" className={styles.actions}>
        <VisuallyHidden>Actions</VisuallyHidden>
      </Table.Th>
    );
  const { label, number } = typeof heading === "string" ? { label: heading, number: false } : heading;
  return (
    <Table.Th scope="col" {...(number ? { ta: "right" } : {})}>
      {label}
    </Table.Th>
  );
}

/** The last cell of a row: its buttons. */
export function RowActions({ children }: { children?: ReactNode }) {
  return (
    <Table.Td className={styles.actions}>
      <Group className={styles.buttons}>{children}</Group>
    </Table.Td>
  );
}
