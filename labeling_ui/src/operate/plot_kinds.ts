import type { Metric } from "../api/monitoring_types";
import { percent, short } from "../format/numbers";

/** What a plot shows and how its numbers read. */
export interface PlotKind {
  metric: Metric;
  title: string;
  axis: string;
  /** A CSS variable, read when the plot is drawn. */
  colour: string;
  /** Whether low and high make a band around the value. */
  band: boolean;
  /** The name of a horizontal line to stay under. */
  limit: string | null;
  words(value: number): string;
  range(low: number, high: number): [number, number];
}

/** Down to the next ten percent, up to all. */
function towardsOne(low: number): [number, number] {
  return [Math.max(0, Math.min(0.9, Math.floor(low * 10) / 10)), 1];
}

function fromZero(_low: number, high: number): [number, number] {
  return [0, high > 0 ? high * 1.15 : 1];
}

export const PLOT_KINDS: readonly PlotKind[] = [
  {
    metric: "accuracy",
    title: "Accuracy",
    axis: "accuracy, %",
    colour: "--plot-1",
    band: true,
    limit: null,
    words: (value) => percent(value),
    range: towardsOne,
  },
  {
    metric: "query_rate",
    title: "Query rate",
    axis: "queries per sample, %",
    colour: "--plot-2",
    band: false,
    limit: "budget",
    words: (value) => percent(value),
    range: fromZero,
  },
  {
    metric: "predictive_entropy",
    title: "Predictive entropy",
    axis: "entropy, bits",
    colour: "--plot-3",
    band: false,
    limit: null,
    words: short,
    range: fromZero,
  },
];
