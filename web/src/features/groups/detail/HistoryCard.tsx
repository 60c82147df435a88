import "@mantine/charts/styles.css";
import { LineChart } from "@mantine/charts";
import { Group, SegmentedControl, Text } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Card } from "@/components/Card";
import { Empty } from "@/components/Empty";
import { count, duration, moment, zone } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { type History, historyQuery, type Span, spans } from "../api";
import { type Chart, chart, type Measure } from "./history";

const colors = ["ice.6", "orange.6", "teal.6", "grape.6", "red.6", "yellow.7"];
const dashes = ["0", "6 3", "2 3", "8 3 2 3", "4 2", "1 2"];

/** How far the group was behind, in records or in time. */
export function HistoryCard({ cluster, group }: { cluster: string; group: string }) {
  const [span, setSpan] = useState<Span>("hour");
  const [measure, setMeasure] = useState<Measure>("records");
  const history = useQuery(historyQuery(cluster, group, span));
  return (
    <Card
      title="Lag over time"
      aside={
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            aria-label="Lag in"
            value={measure}
            onChange={(value) => setMeasure(value as Measure)}
            data={[
              { value: "records", label: "Records" },
              { value: "seconds", label: "Time" },
            ]}
          />
          <SegmentedControl
            size="xs"
            aria-label="Time span"
            value={span}
            onChange={(value) => setSpan(value as Span)}
            data={Object.entries(spans).map(([value, { label }]) => ({ value, label }))}
          />
        </Group>
      }
    >
      <Loaded query={history}>
        {(history) => <Lines history={history} measure={measure} wide={span !== "hour"} />}
      </Loaded>
    </Card>
  );
}

function shown(value: number, measure: Measure): string {
  return measure === "records" ? count(value) : duration(Math.round(value));
}

/** The time above the values; the chart asks for it also where the pointer is at none. */
function when(at: unknown): string {
  return typeof at === "number" && Number.isFinite(at) ? moment(new Date(at).toISOString()) : "";
}

/** The chart in one sentence, for whoever does not see it. */
function inWords({ topics, points }: Chart, measure: Measure): string {
  const told = topics.map((topic, place) => {
    const values = points.map((point) => point[`t${place}`] ?? 0);
    return `${topic}: at most ${shown(Math.max(0, ...values), measure)}, last ${shown(values.at(-1) ?? 0, measure)}`;
  });
  return `Lag by topic. ${told.join("; ")}.`;
}

function Lines({ history, measure, wide }: { history: History; measure: Measure; wide: boolean }) {
  const drawn = chart(history, measure);
  if (drawn.points.length === 0)
    return (
      <Empty icon={IconChartLine} title="Nothing to draw yet">
        <Text size="sm" c="dimmed">
          Once the group commits offsets, its lag is noted every minute and kept for seven days.
        </Text>
      </Empty>
    );
  const time = (at: unknown) => {
    const full = when(at);
    return wide ? full.slice(5, 16) : full.slice(11, 16);
  };
  return (
    <figure style={{ margin: 0 }} aria-label={inWords(drawn, measure)}>
      <LineChart
        h={260}
        data={drawn.points}
        dataKey="at"
        series={drawn.topics.map((topic, place) => ({
          name: `t${place}`,
          label: topic,
          color: colors[place % colors.length] ?? "ice.6",
          strokeDasharray: dashes[place % dashes.length] ?? "0",
        }))}
        curveType="linear"
        connectNulls={false}
        withDots={drawn.points.length < 40}
        withLegend
        legendProps={{ verticalAlign: "bottom" }}
        valueFormatter={(value) => shown(value, measure)}
        xAxisProps={{ tickFormatter: time, minTickGap: 40 }}
        yAxisProps={{ width: 72, domain: [0, (most: number) => Math.max(most, measure === "records" ? 10 : 60)] }}
        tooltipProps={{ labelFormatter: when }}
        lineChartProps={{ accessibilityLayer: false }}
        lineProps={{ isAnimationActive: false }}
      />
      <Text size="xs" c="dimmed">
        Times are in {zone()}.
      </Text>
      {drawn.others > 0 && (
        <Text size="xs" c="dimmed">
          {count(drawn.others)} topics with less lag are not drawn.
        </Text>
      )}
    </figure>
  );
}
