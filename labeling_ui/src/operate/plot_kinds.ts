import type { Metric } from "../api/monitoring_types";
import { percent, short } from "../format/numbers";

/** What a plot shows and how its numbers read. */
export interface PlotKind {
  name: Metric | "cost_curve";
  title: string;
  axis: string;
  /** What lies along the horizontal axis. */
  along: "time" | "labels";
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

export const PLOT_KINDS: readonly (PlotKind & { name: Metric })[] = [
  {
    name: "accuracy",
    title: "Accuracy",
    axis: "accuracy, %",
    along: "time",
    colour: "--plot-1",
    band: true,
    limit: null,
    words: (value) => percent(value),
    range: towardsOne,
  },
  {
    name: "query_rate",
    title: "Query rate",
    axis: "queries per sample, %",
    along: "time",
    colour: "--plot-2",
    band: false,
    limit: "budget",
    words: (value) => percent(value),
    range: fromZero,
  },
  {
    name: "predictive_entropy",
    title: "Predictive entropy",
    axis: "entropy, bits",
    along: "time",
    colour: "--plot-3",
    band: false,
    limit: null,
    words: short,
    range: fromZero,
  },
];

export const COST_CURVE: PlotKind = {
  name: "cost_curve",
  title: "Accuracy against labels",
  axis: "accuracy, %",
  along: "labels",
  colour: "--plot-1",
  band: true,
  limit: null,
  words: (value) => percent(value),
  range: towardsOne,
};
