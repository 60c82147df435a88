import { Button, Checkbox, Code, Group, Stack, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got } from "@/api/client";
import { asProblem } from "@/api/problem";
import type { components } from "@/api/schema";
import { AsCode } from "@/components/AsCode";
import { Card } from "@/components/Card";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { networksQuery } from "../api";

type NetworksBody = components["schemas"]["Networks"];

/** From where the organization is reached by REST and by this console. */
export function Networks({ organization }: { organization: string }) {
  const networks = useQuery(networksQuery(organization));
  return (
    <Card
      title="Networks"
      lead="From where members and programs may use the API and this console for this organization. With none, from anywhere. Kafka clients go by the list of their cluster."
    >
      <Loaded query={networks} lines={3}>
        {({ value, etag }) => <NetworksForm organization={organization} networks={value} etag={etag} />}
      </Loaded>
    </Card>
  );
}

/** One network on a line, or between commas. */
function lines(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

interface Props {
  organization: string;
  networks: NetworksBody;
  etag: string;
}

function NetworksForm({ organization, networks: { networks, your_address }, etag }: Props) {
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const form = useForm({ initialValues: { networks: networks.join("\n"), force: false } });
  const wanted = lines(form.values.networks);
  const path = `/v1/organizations/${organization}/networks`;
  const submit = form.onSubmit(async ({ force }) => {
    setError(undefined);
    try {
      const params = {
        path: { organization },
        query: force ? { force } : {},
        header: { "If-Match": etag },
      };
      await got(api.PUT("/v1/organizations/{organization}/networks", { body: { networks: wanted }, params }));
      await queries.invalidateQueries({ queryKey: networksQuery(organization).queryKey });
      form.resetDirty();
      done(wanted.length === 0 ? "The organization is reached from anywhere." : "The networks are in force.");
    } catch (thrown) {
      const faults = asProblem(thrown).faults.map(({ pointer, detail }) => {
        const index = Number(pointer.split("/")[2]);
        return `${wanted[index] ?? pointer}: ${detail}`;
      });
      if (faults.length > 0) form.setFieldError("networks", faults.join("; "));
      setError(thrown);
    }
  });
  return (
    <form onSubmit={submit}>
      <Stack>
        <Textarea
          label="Networks"
          description="One on each line: an address, or an address and bits."
          placeholder={"192.0.2.0/24\n2001:db8::/32"}
          autosize
          minRows={3}
          spellCheck={false}
          classNames={{ input: "mono" }}
          {...form.getInputProps("networks")}
        />
        {your_address && (
          <Text size="sm" c="dimmed">
            You come from <Code>{your_address}</Code>. A list that leaves it out locks you out, so it takes the box
            below.
          </Text>
        )}
        <Checkbox label="Also without my own address" {...form.getInputProps("force", { type: "checkbox" })} />
        {error !== undefined && <ProblemAlert error={error} />}
        <Group>
          <Button type="submit" loading={form.submitting} disabled={!form.isDirty()}>
            Save the networks
          </Button>
        </Group>
        <AsCode
          request={{ method: "PUT", path: form.values.force ? `${path}?force=true` : path, body: { networks: wanted } }}
          undeclared="There is no Terraform resource for an organization's networks."
        />
      </Stack>
    </form>
  );
}
