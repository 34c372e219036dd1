import type { Metric, Point } from "../api/monitoring_types";
import { Plot } from "./plot";
import { PLOT_KINDS } from "./plot_kinds";

interface PlotsParts {
  series: Partial<Record<Metric, Point[]>>;
  budget: number | null;
}

export function Plots({ series, budget }: PlotsParts) {
  return (
    <div class="plots">
      {PLOT_KINDS.map((kind) => (
        <Plot
          key={kind.metric}
          kind={kind}
          points={series[kind.metric] ?? null}
          limit={kind.limit ? budget : null}
        />
      ))}
    </div>
  );
}
