import { ActionIcon, Menu } from "@mantine/core";
import { IconLogout, IconUserCircle } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import { keepCsrfToken } from "@/api/session";
import { complain } from "@/components/notify";
import { personalPlaces } from "./navigation";
import { usePerson } from "./session";

/** What the browser keeps of this person: the chosen organization, and schemas that were pasted to read messages with. */
function forget(): void {
  for (const key of Object.keys(localStorage)) {
    if (key === "firn.organization" || key.startsWith("firn.messages.")) localStorage.removeItem(key);
  }
}

export function PersonMenu() {
  const person = usePerson();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const logOut = async () => {
    try {
      await got(api.DELETE("/v1/sessions/current"));
    } catch (error) {
      complain(error);
      return;
    }
    // First away from the pages that ask for more, then nothing of what this person saw stays.
    await navigate({ to: "/login" });
    keepCsrfToken(undefined);
    queries.clear();
    forget();
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={`You: ${person.name}`} title={person.name}>
          <IconUserCircle size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{person.email}</Menu.Label>
        {personalPlaces.map((place) => (
          <Menu.Item key={place.to} component={Link} to={place.to} leftSection={<place.icon size={16} />}>
            {place.label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={logOut}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
