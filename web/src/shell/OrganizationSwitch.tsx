import { Select } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useWorkspace } from "./workspace";

/** Which organization is shown. */
export function OrganizationSwitch() {
  const { organizations, organization, choose } = useWorkspace();
  const navigate = useNavigate();
  if (!organization) return null;
  return (
    <Select
      aria-label="Organization"
      size="xs"
      w={200}
      allowDeselect={false}
      data={organizations.map(({ id, name }) => ({ value: id, label: name }))}
      value={organization.id}
      onChange={(id) => {
        if (!id) return;
        choose(id);
        void navigate({ to: "/clusters" });
      }}
    />
  );
}
