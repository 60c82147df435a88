import { Button, Group } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Page } from "@/components/Page";
import { newOrganization, personalPlaces } from "./navigation";
import { useWorkspace } from "./workspace";

/** Pages that are about the person alone. */
const personal = personalPlaces.map(({ to }) => to);

/** What a page shows to somebody who is in no organization (any more): how to make one. Pages about the person are as always. */
export function NoOrganization({ path, children }: { path: string; children: ReactNode }) {
  const { organization, isSuccess } = useWorkspace();
  if (!isSuccess || organization || personal.includes(path)) return children;
  return (
    <Page
      title="You are in no organization"
      lead="Clusters, people and bills belong to one. Make one, or have yourself invited to another."
    >
      <Group>
        <Button component={Link} to={newOrganization.to}>
          Make an organization
        </Button>
      </Group>
    </Page>
  );
}
