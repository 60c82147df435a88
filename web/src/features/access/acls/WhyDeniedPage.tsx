import { Alert, Button, Group, Paper, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type AuditEntry, auditEntryQuery, usePrincipals } from "../api";
import { useClusterId } from "../parts";
import { faultAt } from "../saving";
import { Answer } from "./Answer";
import { HostField } from "./HostField";
import { PrincipalField } from "./PrincipalField";
import { clusterName, everyOperation, operationsOf, resourceTypes, spoken } from "./words";

export interface Question {
  principal: string;
  operation: string;
  resource_type: string;
  resource_name: string;
  host: string;
}

/** A question as the API has it. */
export function asked({ principal, operation, resource_type, resource_name, host }: Question) {
  return {
    principal: principal.trim(),
    operation,
    resource_type,
    ...(resource_type === "cluster" ? {} : { resource_name: resource_name.trim() }),
    ...(host.trim() ? { host: host.trim() } : {}),
  };
}

/** What an entry of the audit trail says was tried, as a question; null where it is about no permission. */
function questionOf(entry: AuditEntry): Question | null {
  const known = resourceTypes.some(({ value }) => value === entry.resource_kind);
  if (!known || !everyOperation.includes(entry.action)) return null;
  return {
    principal: entry.principal,
    operation: entry.action,
    resource_type: entry.resource_kind,
    resource_name: entry.resource,
    host: entry.address ?? "",
  };
}

/** Which rule decides whether somebody may do something, and what would have to change. */
export function WhyDeniedPage() {
  const cluster = useClusterId();
  const { entry = "", ...given } = useSearch({ from: "/app/clusters/$cluster/access/why-denied" });
  const found = useQuery(auditEntryQuery(cluster, entry));
  const start = {
    principal: given.principal ?? "",
    operation: given.operation ?? "read",
    resource_type: given.resource_type ?? "topic",
    resource_name: given.resource_name ?? "",
    host: given.host ?? "",
  };
  return (
    <Page
      title="Why denied?"
      lead="Ask what decides whether somebody may do something. Denied clients are told an id (aud_…): it fills this form."
    >
      <EntryField cluster={cluster} entry={entry} />
      {entry === "" ? (
        <Asking key={JSON.stringify(start)} cluster={cluster} start={start} at={given.principal ? "once" : "later"} />
      ) : (
        <Loaded query={found}>{(row) => <OfEntry cluster={cluster} entry={entry} row={row} />}</Loaded>
      )}
    </Page>
  );
}

function EntryField({ cluster, entry }: { cluster: string; entry: string }) {
  const [id, setId] = useState(entry);
  const navigate = useNavigate();
  const go = () =>
    void navigate({
      to: "/clusters/$cluster/access/why-denied",
      params: { cluster },
      search: id.trim() ? { entry: id.trim() } : {},
    });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <Group align="flex-end" gap="xs" maw={760}>
        <TextInput
          label="Audit entry"
          placeholder="aud_…"
          value={id}
          onChange={({ currentTarget }) => setId(currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          flex={1}
        />
        <Button type="submit" variant="default">
          Look up
        </Button>
      </Group>
    </form>
  );
}

function OfEntry({ cluster, entry, row }: { cluster: string; entry: string; row: AuditEntry | null }) {
  if (!row)
    return (
      <Alert color="orange" title="No such entry" maw={760}>
        This cluster's audit trail has no entry {entry}. Entries of brokers are written about a second after the denial.
      </Alert>
    );
  const question = questionOf(row);
  if (!question)
    return (
      <Alert color="orange" title={`The entry is about ${spoken(row.action)}`} maw={760}>
        It is about no permission that ACLs give, so there is nothing to explain here: {row.principal},{" "}
        {spoken(row.action)} {row.resource_kind} {row.resource}, {moment(row.at)}.
      </Alert>
    );
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {row.decision === "denied" ? "Denied" : "Allowed"} {moment(row.at)}. The answer below is that of the rules that
        hold now.
      </Text>
      <Asking key={entry} cluster={cluster} start={question} at="once" />
    </Stack>
  );
}

interface AskingProps {
  cluster: string;
  start: Question;
  /** Whether to ask without being told to. */
  at: "once" | "later";
}

function Asking({ cluster, start, at }: AskingProps) {
  const { accounts } = usePrincipals(cluster);
  const form = useForm<Question>({ initialValues: start });
  const [question, ask] = useState<Question | undefined>(at === "once" ? start : undefined);
  const body = asked(form.values);
  const answer = useQuery({
    queryKey: ["acls", cluster, "explained", question],
    queryFn: () =>
      got(
        api.POST("/v1/clusters/{cluster}/access:explain", {
          params: { path: { cluster } },
          body: asked(question ?? start),
        }),
      ),
    enabled: question !== undefined,
    staleTime: 0,
  });
  const again = form.onSubmit((values) => {
    if (JSON.stringify(values) === JSON.stringify(question)) void answer.refetch();
    else ask(values);
  });
  return (
    <Stack maw={760}>
      <Paper withBorder p="md" radius="md">
        <form onSubmit={again}>
          <Stack>
            <Fields form={form} accounts={accounts} error={answer.error} />
            <Group justify="flex-end">
              <Button type="submit" loading={answer.isFetching}>
                Explain
              </Button>
            </Group>
            <AsCode
              request={{ method: "POST", path: `/v1/clusters/${cluster}/access:explain`, body }}
              undeclared="A question changes nothing. What Terraform declares is in the answer: the ACL that would allow it."
            />
          </Stack>
        </form>
      </Paper>
      {question && answer.error && <ProblemAlert error={answer.error} />}
      {question && answer.data && !answer.error && (
        <Answer cluster={cluster} question={question} answer={answer.data} accounts={accounts} />
      )}
    </Stack>
  );
}

interface FieldsProps {
  form: ReturnType<typeof useForm<Question>>;
  accounts: Parameters<typeof PrincipalField>[0]["accounts"];
  error: unknown;
}

function Fields({ form, accounts, error }: FieldsProps) {
  const kind = form.values.resource_type;
  return (
    <>
      <PrincipalField
        accounts={accounts}
        value={form.values.principal}
        onChange={(principal) => form.setFieldValue("principal", principal)}
        error={faultAt(error, "/principal")}
      />
      <Group align="flex-start" grow preventGrowOverflow={false}>
        <Select
          label="Kind of resource"
          data={resourceTypes}
          allowDeselect={false}
          value={kind}
          onChange={(chosen) => {
            const next = chosen ?? "topic";
            form.setFieldValue("resource_type", next);
            if (!operationsOf(next).includes(form.values.operation))
              form.setFieldValue("operation", operationsOf(next)[0] ?? "describe");
          }}
        />
        <Select
          label="Operation"
          data={operationsOf(kind).map((value) => ({ value, label: spoken(value) }))}
          allowDeselect={false}
          {...form.getInputProps("operation")}
          error={faultAt(error, "/operation")}
        />
      </Group>
      {kind !== "cluster" && (
        <TextInput
          label="Resource"
          description="It need not exist"
          required
          autoComplete="off"
          spellCheck={false}
          {...form.getInputProps("resource_name")}
          error={faultAt(error, "/resource_name")}
        />
      )}
      {kind === "cluster" && <TextInput label="Resource" value={clusterName} readOnly />}
      <HostField value={form.values.host} onChange={(host) => form.setFieldValue("host", host)} />
    </>
  );
}
