import "@mantine/charts/styles.css";
import { AreaChart, BarChart } from "@mantine/charts";
import { Paper, Text, Title } from "@mantine/core";
import { zone } from "@/components/format";
import type { Granularity, MeterName } from "./span";
import { meters, others, type Point } from "./sums";

interface Props {
  points: Point[];
  series: { id: string; label: string }[];
  /** Whether there is more than has a series of its own. */
  rest: boolean;
  meter: MeterName;
  granularity: Granularity;
  currency: string;
}

const colors = ["ice.6", "orange.6", "teal.6", "grape.6", "yellow.6", "indigo.6", "red.6"];

/** A period's beginning, as short as it is clear. */
function tick(period: string, granularity: Granularity): string {
  const at = new Date(period);
  const day = at.toLocaleDateString("en", {
    day: "numeric",
    month: "short",
    ...(granularity === "day" ? { timeZone: "UTC" } : {}),
  });
  if (granularity === "day") return day;
  const time = at.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
  return `${day} ${time}`;
}

/** One meter over time, a series for each group. The table below it tells the same in numbers. */
export function UsageChart({ points, series, rest, meter, granularity, currency }: Props) {
  const { label, shown } = meters[meter];
  const title = meter === "cost" ? `${label} in ${currency}` : label;
  const data = points.map((point) => ({ ...point, period: tick(point.period, granularity) }));
  const all = series.map(({ id, label: name }, index) => ({
    name: id,
    label: name,
    color: colors[index % colors.length] ?? "gray.6",
  }));
  if (rest) all.push({ name: others, label: "All others", color: "gray.6" });
  const props = {
    h: 280,
    data,
    dataKey: "period",
    series: all,
    type: "stacked" as const,
    valueFormatter: shown,
    withLegend: all.length > 1,
    yAxisProps: { width: 84 },
    xAxisProps: { minTickGap: 24 },
  };
  return (
    <Paper withBorder p="md" component="section" aria-label={`Chart: ${title}`}>
      <Title order={2} size="h5" mb="sm">
        {title}
      </Title>
      {points.length > 60 ? <AreaChart {...props} withDots={false} curveType="step" /> : <BarChart {...props} />}
      <Text size="xs" c="dimmed">
        {granularity === "day" ? "Days are in UTC." : `Times are in ${zone()}.`}
      </Text>
    </Paper>
  );
}
