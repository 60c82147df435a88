import { Button, Group, Paper, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { done } from "@/components/notify";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { useSubmit } from "@/components/useSubmit";
import { organizationsQuery, useWorkspace } from "@/shell/workspace";

/** Makes an organization, which the person owns, and goes on in it. */
export function CreateOrganizationPage() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { choose } = useWorkspace();
  const form = useForm({ initialValues: { name: "" } });
  const { submit, error } = useSubmit(form, async (body) => {
    const { id, name } = await got(api.POST("/v1/organizations", { body }));
    await queries.invalidateQueries({ queryKey: organizationsQuery.queryKey });
    choose(id);
    done(`${name} is made, and you own it.`);
    await navigate({ to: "/start" });
  });
  return (
    <Page title="New organization" lead="It has its own people, projects, clusters, limits and bills. You own it.">
      <Paper withBorder p="md" maw={640}>
        <form onSubmit={submit}>
          <Stack>
            <TextInput
              label="Name"
              description="It can be changed later."
              maxLength={100}
              required
              autoComplete="organization"
              {...form.getInputProps("name")}
            />
            {error !== undefined && <ProblemAlert error={error} />}
            <Group>
              <Button type="submit" loading={form.submitting}>
                Make the organization
              </Button>
            </Group>
            <AsCode
              request={{ method: "POST", path: "/v1/organizations", body: form.values, by: "person" }}
              undeclared="Terraform works inside of an organization, and makes none."
            />
          </Stack>
        </form>
      </Paper>
    </Page>
  );
}
