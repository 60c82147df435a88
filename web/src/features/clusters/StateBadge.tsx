import { Badge } from "@mantine/core";
import type { Cluster } from "./api";

const colors: Record<Cluster["state"], string> = {
  creating: "blue",
  active: "teal",
  suspended: "yellow",
  deleting: "red",
};

/** Where a cluster is in its life, in words. */
export function StateBadge({ state }: { state: Cluster["state"] }) {
  return (
    <Badge variant="outline" color={colors[state]} tt="none" c="var(--mantine-color-text)" miw="max-content">
      {state}
    </Badge>
  );
}
