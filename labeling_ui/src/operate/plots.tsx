import { useMemo } from "preact/hooks";
import type { Alarm, CostPoint, Metric, Point } from "../api/monitoring_types";
import { Plot } from "./plot";
import { placedByLabels, placedInTime, seconds } from "./plot_data";
import { COST_CURVE, PLOT_KINDS } from "./plot_kinds";

interface PlotsParts {
  series: Partial<Record<Metric, Point[]>>;
  cost: readonly CostPoint[] | null;
  alarms: readonly Alarm[];
  budget: number | null;
}

export function Plots({ series, cost, alarms, budget }: PlotsParts) {
  const marks = useMemo(() => alarms.map((alarm) => seconds(alarm.at)), [alarms]);
  const spent = useMemo(() => cost && placedByLabels(cost), [cost]);
  return (
    <div class="plots">
      {PLOT_KINDS.map((kind) => (
        <TimePlot
          key={kind.name}
          kind={kind}
          points={series[kind.name] ?? null}
          limit={kind.limit ? budget : null}
          marks={marks}
        />
      ))}
      <Plot kind={COST_CURVE} points={spent} limit={null} />
    </div>
  );
}

interface TimePlotParts {
  kind: (typeof PLOT_KINDS)[number];
  points: readonly Point[] | null;
  limit: number | null;
  marks: readonly number[];
}

function TimePlot({ points, ...parts }: TimePlotParts) {
  const placed = useMemo(() => points && placedInTime(points), [points]);
  return <Plot points={placed} {...parts} />;
}
