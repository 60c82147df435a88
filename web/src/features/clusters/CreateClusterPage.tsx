import { Accordion, Button, Group, Paper, Select, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { AsCode } from "@/components/AsCode";
import { expression, label } from "@/components/code";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { type Project, projectsQuery, useWorkspace } from "@/shell/workspace";
import { createCluster, type NewCluster } from "./api";
import { LimitFields } from "./LimitFields";
import { type ClusterLimits, type LimitName, limitNames } from "./limits";

interface Values extends Record<string, unknown> {
  project: string;
  name: string;
  slug: string;
  deletion_protection: boolean;
  limits: Partial<Record<LimitName, number>>;
}

/** What the form sends: limits that were left out are the usual ones. */
function body({ project, name, slug, deletion_protection, limits }: Values): NewCluster {
  const given = limitNames.filter((each) => limits[each] !== undefined);
  return {
    project,
    name: name.trim(),
    ...(slug ? { slug } : {}),
    ...(given.length > 0 ? { limits: Object.fromEntries(given.map((each) => [each, limits[each]])) } : {}),
    deletion_protection,
  };
}

export function CreateClusterPage() {
  const { organization } = useWorkspace();
  const projects = useQuery(projectsQuery(organization?.id));
  return (
    <Page
      title="Create cluster"
      lead="It is there within a second. Its name and limits can be changed later, its slug cannot."
      trail={[{ label: "Clusters", to: "/clusters" }]}
    >
      <Loaded query={projects}>{(projects) => <ClusterForm projects={projects} />}</Loaded>
    </Page>
  );
}

function ClusterForm({ projects }: { projects: Project[] }) {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const form = useForm<Values>({
    initialValues: {
      project: projects.find(({ id }) => id === search.project)?.id ?? projects[0]?.id ?? "",
      name: "",
      slug: "",
      deletion_protection: false,
      limits: {},
    },
    validateInputOnBlur: true,
    validate: {
      project: (value) => (value ? null : "Choose a project"),
      name: (value) => (value.trim() ? null : "Give it a name"),
      slug: (value) =>
        value === "" || /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(value)
          ? null
          : "Lower-case letters, digits and dashes, beginning and ending with a letter or digit",
    },
  });
  const { submit, error } = useSubmit(form, async (values) => {
    const cluster = await createCluster(body(values));
    void queries.invalidateQueries({ queryKey: ["clusters"] });
    done(`Cluster ${cluster.name} is there`);
    await navigate({ to: "/clusters/$cluster", params: { cluster: cluster.id } });
  });
  const request = body(form.values);
  return (
    <Paper withBorder p="md" maw={640}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <Select
            label="Project"
            required
            allowDeselect={false}
            data={projects.map(({ id, name }) => ({ value: id, label: name }))}
            {...form.getInputProps("project")}
          />
          <TextInput label="Name" required maxLength={100} data-autofocus {...form.getInputProps("name")} />
          <TextInput
            label="Slug"
            description="Its DNS label, unique in the cell. Made out of the name if you give none."
            maxLength={40}
            spellCheck={false}
            {...form.getInputProps("slug")}
          />
          <Switch
            label="Deletion protection"
            description="It cannot be deleted before this is turned off."
            {...form.getInputProps("deletion_protection", { type: "checkbox" })}
          />
          <Accordion variant="contained">
            <Accordion.Item value="limits">
              <Accordion.Control>Limits</Accordion.Control>
              <Accordion.Panel>
                <LimitFields
                  legend="Left empty: the usual ones"
                  values={form.values.limits}
                  onChange={(limits) => form.setFieldValue("limits", limits)}
                  errors={form.errors}
                />
              </Accordion.Panel>
            </Accordion.Item>
          </Accordion>
          {error !== undefined && <ProblemAlert error={error} />}
          <Group>
            <Button type="submit" loading={form.submitting}>
              Create cluster
            </Button>
            <Button variant="default" component={Link} to="/clusters">
              Cancel
            </Button>
          </Group>
          <AsCode
            request={{ method: "POST", path: "/v1/clusters", body: request }}
            resource={{
              type: "firn_cluster",
              name: label(request.name),
              attributes: {
                ...request,
                limits: request.limits as Partial<ClusterLimits> | undefined,
                project: expression("firn_project.this.id"),
              },
            }}
          />
        </Stack>
      </form>
    </Paper>
  );
}
