import { Alert, Anchor, Button, Group, Menu, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import type { Organization } from "@/shell/workspace";
import { pricesQuery, usePlaces } from "../api";
import { OfOrganization } from "../OfOrganization";
import { Choices } from "./Choices";
import { mostRows, usagePath, usageQuery } from "./query";
import { type Span, span, type UsageSearch } from "./span";
import { keyOf, meters, mostSeries, points, totals, type UsageSum } from "./sums";
import { UsageChart } from "./UsageChart";
import { UsageTable } from "./UsageTable";

export function UsagePage() {
  return (
    <Page
      title="Usage and cost"
      lead="What was used, when, by whom, and what it costs. Figures are a minute or two old."
    >
      <OfOrganization>{(organization) => <Usage organization={organization} />}</OfOrganization>
    </Page>
  );
}

function Usage({ organization }: { organization: Organization }) {
  const search = useSearch({ from: "/app/organization/usage" });
  const navigate = useNavigate();
  const asked = useMemo(() => span(search, Date.now()), [search]);
  const group = search.group ?? "none";
  const sums = useQuery(usageQuery(organization.id, asked, group));
  const change = (changed: UsageSearch) =>
    void navigate({ to: "/organization/usage", search: { ...search, ...changed }, replace: true });
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <Choices search={search} span={asked} change={change} />
        {sums.isSuccess && <Export organization={organization.id} span={asked} group={group} />}
      </Group>
      <Loaded query={sums}>
        {(all) => <Shown organization={organization} sums={all} span={asked} search={search} />}
      </Loaded>
      <Prices />
    </Stack>
  );
}

interface ShownProps {
  organization: Organization;
  sums: UsageSum[];
  span: Span;
  search: UsageSearch;
}

function Shown({ organization, sums, span: asked, search }: ShownProps) {
  const { places } = usePlaces(organization);
  const { data: prices } = useQuery(pricesQuery);
  const group = search.group ?? "none";
  const meter = search.meter ?? "cost";
  const projects = new Map(places.flatMap(({ id, project }) => (project ? [[id, project] as const] : [])));
  const key = (sum: UsageSum) => keyOf(sum, group, projects);
  const name = (id: string) => {
    if (group === "none") return meters[meter].label;
    if (id === "") return group === "principal" ? "The clusters as a whole" : "Clusters that are gone";
    return places.find((place) => place.id === id)?.label.replace(/^(Cluster|Project) /, "") ?? id;
  };
  const found = totals(sums, key, meter);
  const shown = found.slice(0, mostSeries).map((total) => total.key);
  const currency = prices?.currency ?? "";
  return (
    <>
      {sums.length >= mostRows && (
        <Alert color="yellow">
          There is more than is shown here: take a shorter time or longer periods, or export it.
        </Alert>
      )}
      <UsageChart
        points={points(sums, { span: asked, meter, key, shown })}
        series={shown.map((id) => ({ id, label: name(id) }))}
        rest={found.length > shown.length}
        meter={meter}
        granularity={asked.granularity}
        currency={currency}
      />
      <UsageTable totals={found} name={name} group={group} currency={currency} />
    </>
  );
}

function Export({
  organization,
  span: asked,
  group,
}: {
  organization: string;
  span: Span;
  group: UsageSearch["group"];
}) {
  const href = (format: string) => usagePath(organization, asked, group ?? "none", { format });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={href("csv")} download="usage.csv">
          CSV
        </Menu.Item>
        <Menu.Item component="a" href={href("focus")} download="usage-focus.csv">
          CSV for FinOps tools (FOCUS)
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Prices() {
  const { data } = useQuery(pricesQuery);
  if (!data) return null;
  const told = data.items.map(({ meter, unit, price }) => `${meter.replaceAll("_", " ")} ${price} for each ${unit}`);
  return (
    <Text size="sm" c="dimmed">
      Prices in {data.currency}: {told.join(", ")}. Programs read them at{" "}
      <Anchor href="/v1/prices" underline="always">
        /v1/prices
      </Anchor>
      .
    </Text>
  );
}
