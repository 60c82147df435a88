import { Button, Fieldset, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, got } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { ProblemAlert } from "@/components/ProblemAlert";
import {
  type AclBinding,
  type AclResult,
  accountName,
  denyingAclsQuery,
  principalAclsQuery,
  type ServiceAccount,
  usePrincipals,
} from "../api";
import { useClusterId } from "../parts";
import { useChange } from "../saving";
import { aclsAsHcl } from "./code";
import { bindingsOf, consumes, type Grant, missing } from "./grant";
import { HostField } from "./HostField";
import { PatternField } from "./PatternField";
import { Preview } from "./Preview";
import { Results } from "./Results";
import { WhatField } from "./WhatField";
import { WhoField } from "./WhoField";
import { typeLabel } from "./words";

/** From what somebody shall be able to do to the ACLs that this takes. */
export function AclWizardPage() {
  const cluster = useClusterId();
  const { accounts, ready } = usePrincipals(cluster);
  return (
    <Page
      title="Allow or deny"
      lead="Say who shall be able to do what; the ACLs that this takes are shown below before they are made."
      trail={[{ label: "ACLs", to: `/clusters/${cluster}/access/acls` }]}
    >
      <Loaded query={{ data: ready || undefined, error: null, isPending: !ready, refetch: never }}>
        {() => <Wizard cluster={cluster} accounts={accounts} />}
      </Loaded>
    </Page>
  );
}

/** Nothing is asked for again here: the accounts are shown once they are there. */
const never = async () => Promise.reject(new Error("the accounts are asked for elsewhere"));

function Wizard({ cluster, accounts }: { cluster: string; accounts: readonly ServiceAccount[] }) {
  const { principal = "", topic = "" } = useSearch({ from: "/app/clusters/$cluster/access/acls/new" });
  const [grant, setGrant] = useState<Grant>({
    principal,
    host: "",
    what: "produce",
    topic: topic === "*" ? { kind: "all", name: "" } : { kind: "literal", name: topic },
    group: { kind: "literal", name: "" },
    create: false,
    resourceType: "topic",
    operation: "read",
    permission: "allow",
  });
  const [results, setResults] = useState<AclResult[]>();
  const change = (changed: Partial<Grant>) => {
    setGrant({ ...grant, ...changed });
    setResults(undefined);
  };
  const kind = grant.what === "single" ? grant.resourceType : "topic";
  return (
    <Stack maw={760}>
      <Fieldset legend="1. Who">
        <WhoField principal={grant.principal} accounts={accounts} onChange={(principal) => change({ principal })} />
      </Fieldset>
      <Fieldset legend="2. What">
        <WhatField grant={grant} onChange={change} />
      </Fieldset>
      <Fieldset legend="3. Which">
        <Stack>
          {kind !== "cluster" && (
            <PatternField
              cluster={cluster}
              label={typeLabel(kind)}
              kind={kind}
              pattern={grant.topic}
              onChange={(topic) => change({ topic })}
            />
          )}
          {consumes(grant.what) && (
            <PatternField
              cluster={cluster}
              label="Consumer group"
              kind="group"
              pattern={grant.group}
              onChange={(group) => change({ group })}
            />
          )}
          <HostField value={grant.host} onChange={(host) => change({ host })} />
        </Stack>
      </Fieldset>
      <Fieldset legend="4. What will be made">
        <Making cluster={cluster} grant={grant} accounts={accounts} results={results} onResults={setResults} />
      </Fieldset>
    </Stack>
  );
}

interface MakingProps {
  cluster: string;
  grant: Grant;
  accounts: readonly ServiceAccount[];
  results: AclResult[] | undefined;
  onResults: (results: AclResult[]) => void;
}

function Making({ cluster, grant, accounts, results, onResults }: MakingProps) {
  const { data: denying = [] } = useQuery(denyingAclsQuery(cluster));
  const { data: there = [] } = useQuery(principalAclsQuery(cluster, grant.principal));
  const lack = missing(grant);
  const acls = lack ? [] : bindingsOf(grant);
  const create = useChange({
    send: (create: AclBinding[]) =>
      got(api.POST("/v1/clusters/{cluster}/acls/batch", { params: { path: { cluster } }, body: { create } })),
    touches: [["acls", cluster]],
    onDone: (answer) => onResults(answer.results),
  });
  if (results) return <Results cluster={cluster} grant={grant} results={results} accounts={accounts} />;
  if (lack) return <Text c="dimmed">{lack}</Text>;
  return (
    <Stack>
      <Preview acls={acls} there={there} denying={denying} accounts={accounts} />
      {create.error && <ProblemAlert error={create.error} />}
      <Group>
        <Button loading={create.isPending} onClick={() => create.mutate(acls)}>
          {acls.length === 1 ? "Create 1 ACL" : `Create ${acls.length} ACLs`}
        </Button>
      </Group>
      <Code cluster={cluster} grant={grant} accounts={accounts} acls={acls} />
    </Stack>
  );
}

interface CodeProps {
  cluster: string;
  grant: Grant;
  accounts: readonly ServiceAccount[];
  acls: AclBinding[];
}

function Code({ cluster, grant, accounts, acls }: CodeProps) {
  const [first, ...rest] = acls;
  if (!first) return null;
  const name = accountName(grant.principal, accounts) ?? grant.principal.replace(/^User:/, "");
  const resource = aclsAsHcl(cluster, `${name} ${grant.what === "single" ? grant.operation : grant.what}`, [
    first,
    ...rest,
  ]);
  const request = { method: "POST", path: `/v1/clusters/${cluster}/acls/batch`, body: { create: acls } } as const;
  return <AsCode request={request} resource={resource} />;
}
