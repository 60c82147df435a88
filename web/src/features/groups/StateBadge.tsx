import { Badge } from "@mantine/core";
import { type GroupState, states } from "./api";

const colors: Record<GroupState, string> = {
  empty: "gray",
  preparing_rebalance: "yellow",
  completing_rebalance: "yellow",
  stable: "teal",
};

/** Where a group stands, in words. */
export function StateBadge({ state }: { state: GroupState }) {
  return (
    <Badge variant="outline" color={colors[state]} tt="none" c="var(--mantine-color-text)">
      {states[state]}
    </Badge>
  );
}
