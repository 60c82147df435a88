import { ActionIcon, Anchor, Button, Group, Menu, Modal, Stack, Table, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconDots, IconFolder, IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { AsCode } from "@/components/AsCode";
import { ConfirmTyped } from "@/components/ConfirmTyped";
import { CopyField } from "@/components/CopyField";
import { expression, label } from "@/components/code";
import { Empty } from "@/components/Empty";
import { count, moment } from "@/components/format";
import { Listing, RowActions } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type Project, projectsQuery, useWorkspace } from "@/shell/workspace";
import { clustersOfQuery, createProject, deleteProject, renameProject } from "./api";

/** What is open above the list. */
type Open = { kind: "create" } | { kind: "rename" | "delete"; project: Project } | undefined;

export function ProjectsPage() {
  const { organization } = useWorkspace();
  const projects = useQuery(projectsQuery(organization?.id));
  const [open, setOpen] = useState<Open>();
  const queries = useQueryClient();
  const changed = () => queries.invalidateQueries({ queryKey: ["projects"] });
  const close = () => setOpen(undefined);
  const create = () => setOpen({ kind: "create" });
  return (
    <Page
      title="Projects"
      lead="A project holds clusters and service accounts. Roles can be given on it."
      actions={
        <Button onClick={create} leftSection={<IconPlus size={16} />}>
          Create project
        </Button>
      }
    >
      <Loaded query={projects}>
        {(projects) =>
          projects.length === 0 ? (
            <Empty icon={IconFolder} title="No project yet">
              <Text c="dimmed" size="sm">
                Clusters and service accounts live in projects: make one to begin.
              </Text>
              <Button onClick={create}>Create project</Button>
            </Empty>
          ) : (
            <List projects={projects} organization={organization?.id} onOpen={setOpen} />
          )
        }
      </Loaded>
      {organization && open?.kind === "create" && (
        <NameModal organization={organization.id} onClose={close} onSaved={changed} />
      )}
      {organization && open?.kind === "rename" && (
        <NameModal organization={organization.id} project={open.project} onClose={close} onSaved={changed} />
      )}
      {open?.kind === "delete" && (
        <ConfirmTyped
          opened
          onClose={close}
          title="Delete project"
          word={open.project.name}
          action="Delete project"
          code={{
            request: { method: "DELETE", path: `/v1/projects/${open.project.id}` },
            removed: { type: "firn_project", name: open.project.name },
          }}
          onConfirm={async () => {
            await deleteProject(open.project.id);
            done(`Project ${open.project.name} is deleted`);
            await changed();
          }}
        >
          The project goes for ever. It must have no cluster and no service account any more.
        </ConfirmTyped>
      )}
    </Page>
  );
}

interface ListProps {
  projects: Project[];
  organization: string | undefined;
  onOpen: (open: Open) => void;
}

function List({ projects, organization, onOpen }: ListProps) {
  const { data: clusters } = useQuery(clustersOfQuery(organization));
  return (
    <Listing label="Table of projects" headings={["Name", { label: "Clusters", number: true }, "Made", ""]} width={420}>
      {projects.map((project) => (
        <Table.Tr key={project.id}>
          <Table.Td>
            <Anchor
              fw={600}
              renderRoot={(props) => <Link {...props} to="/clusters" search={{ project: project.id }} />}
            >
              {project.name}
            </Anchor>
            <CopyField label={`the id of ${project.name}`} value={project.id} />
          </Table.Td>
          <Table.Td ta="right">{count(clusters?.filter((cluster) => cluster.project === project.id).length)}</Table.Td>
          <Table.Td style={{ whiteSpace: "nowrap" }}>{moment(project.created_at)}</Table.Td>
          <RowActions>
            <Actions project={project} onOpen={onOpen} />
          </RowActions>
        </Table.Tr>
      ))}
    </Listing>
  );
}

function Actions({ project, onOpen }: { project: Project; onOpen: (open: Open) => void }) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions of ${project.name}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => onOpen({ kind: "rename", project })}>
          Rename
        </Menu.Item>
        <Menu.Item leftSection={<IconTrash size={16} />} onClick={() => onOpen({ kind: "delete", project })}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

interface NameProps {
  organization: string;
  /** The one that gets another name; else a new one is made. */
  project?: Project;
  onClose: () => void;
  onSaved: () => Promise<unknown>;
}

function NameModal({ organization, project, onClose, onSaved }: NameProps) {
  const form = useForm<{ name: string }>({
    initialValues: { name: project?.name ?? "" },
    validate: { name: (value) => (value.trim() ? null : "Give it a name") },
  });
  const { submit, error } = useSubmit(form, async ({ name }) => {
    await (project ? renameProject(project.id, name.trim()) : createProject(organization, name.trim()));
    await onSaved();
    done(project ? `The project is called ${name.trim()} now` : `Project ${name.trim()} is there`);
    onClose();
  });
  const name = form.values.name.trim();
  return (
    <Modal
      opened
      onClose={onClose}
      title={project ? "Rename project" : "Create project"}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <TextInput label="Name" required maxLength={100} data-autofocus {...form.getInputProps("name")} />
          {error !== undefined && <ProblemAlert error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={form.submitting}>
              {project ? "Rename" : "Create project"}
            </Button>
          </Group>
          <AsCode
            request={
              project
                ? { method: "PATCH", path: `/v1/projects/${project.id}`, body: { name } }
                : { method: "POST", path: "/v1/projects", body: { organization, name } }
            }
            resource={{
              type: "firn_project",
              name: label(name),
              attributes: { organization: expression("data.firn_organization.this.id"), name },
            }}
          />
        </Stack>
      </form>
    </Modal>
  );
}
