import { Button, Skeleton, Stack } from "@mantine/core";
import { IconBuilding } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Empty } from "@/components/Empty";
import { type Organization, useWorkspace } from "@/shell/workspace";

/** What a page shows of the chosen organization; anew for another one. */
export function OfOrganization({ children }: { children: (organization: Organization) => ReactNode }) {
  const { organization, isPending } = useWorkspace();
  if (organization) return <Stack key={organization.id}>{children(organization)}</Stack>;
  if (isPending) return <Skeleton height={160} role="status" aria-label="Loading" />;
  return (
    <Empty icon={IconBuilding} title="You are in no organization">
      <Button component={Link} to="/clusters" variant="default">
        To the start
      </Button>
    </Empty>
  );
}
