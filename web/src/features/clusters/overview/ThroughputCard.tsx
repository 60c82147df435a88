import "@mantine/charts/styles.css";
import { AreaChart } from "@mantine/charts";
import { SegmentedControl, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asProblem } from "@/api/problem";
import { Card } from "@/components/Card";
import { bytes, moment, zone } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { type Cluster, type Overview, spans, usageQuery } from "../api";
import { ofUsage, type Point, withNow } from "./series";

type Choice = "live" | keyof typeof spans;

const choices = [
  { value: "live", label: "Live" },
  ...Object.entries(spans).map(([value, { label }]) => ({ value, label })),
];

interface Props {
  cluster: Cluster;
  overview: Overview;
  /** When the overview was told, in ms since 1970. */
  at: number;
}

/** What is produced and fetched in a second: now, or in the past as it was metered. */
export function ThroughputCard({ cluster, overview, at }: Props) {
  const [choice, setChoice] = useState<Choice>("hour");
  const [seen, setSeen] = useState<Point[]>([]);
  useEffect(() => setSeen((points) => withNow(points, overview, at)), [overview, at]);
  return (
    <Card
      title="Throughput"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Time span"
          value={choice}
          onChange={(value) => setChoice(value as Choice)}
          data={choices}
        />
      }
    >
      {choice === "live" ? <Chart points={seen} /> : <Past cluster={cluster} span={spans[choice]} />}
    </Card>
  );
}

function Past({ cluster, span }: { cluster: Cluster; span: (typeof spans)[keyof typeof spans] }) {
  const usage = useQuery(usageQuery(cluster, span));
  if (usage.error && asProblem(usage.error).status === 403) {
    return (
      <Text c="dimmed" size="sm">
        Your role does not show what was used. Choose Live for what goes on now.
      </Text>
    );
  }
  return <Loaded query={usage}>{(sums) => <Chart points={ofUsage(sums, span, Date.now())} />}</Loaded>;
}

/** The chart in one sentence, for whoever does not see it. */
function inWords(points: Point[]): string {
  const most = (of: (point: Point) => number) => bytes(Math.round(Math.max(0, ...points.map(of))));
  const first = points[0];
  if (!first) return "Nothing to draw yet.";
  return `Since ${moment(new Date(first.at).toISOString())}: at most ${most((point) => point.produced)} per second were produced and ${most(
    (point) => point.fetched,
  )} per second fetched.`;
}

function Chart({ points }: { points: Point[] }) {
  const first = points[0]?.at ?? 0;
  const wide = (points.at(-1)?.at ?? 0) - first > 86_400_000;
  const fine = (points[1]?.at ?? first) - first < 60_000;
  const time = (at: number) => {
    const full = moment(new Date(at).toISOString());
    return wide ? full.slice(5, 16) : full.slice(11, fine ? 19 : 16);
  };
  return (
    <figure style={{ margin: 0 }} aria-label={inWords(points)}>
      <AreaChart
        h={260}
        data={points}
        dataKey="at"
        series={[
          { name: "produced", label: "Produced", color: "ice.6" },
          { name: "fetched", label: "Fetched", color: "orange.6", strokeDasharray: "4 2" },
        ]}
        curveType="monotone"
        withDots={false}
        withLegend
        legendProps={{ verticalAlign: "bottom" }}
        valueFormatter={(value) => `${bytes(Math.round(value))}/s`}
        xAxisProps={{ tickFormatter: time, minTickGap: 40 }}
        yAxisProps={{ width: 84, domain: [0, (most: number) => Math.max(most, 1_024)] }}
        tooltipProps={{ labelFormatter: (at) => (typeof at === "number" ? moment(new Date(at).toISOString()) : "") }}
        areaChartProps={{ accessibilityLayer: false }}
        areaProps={{ isAnimationActive: false }}
      />
      <Text size="xs" c="dimmed">
        Times are in {zone()}.
      </Text>
    </figure>
  );
}
