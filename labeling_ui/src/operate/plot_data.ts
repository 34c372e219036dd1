import type uPlot from "uplot";
import type { CostPoint, Point } from "../api/monitoring_types";
import { isRough } from "../format/accuracy";

/** A value where it belongs on the plot's horizontal axis. */
export interface Placed {
  x: number;
  value: number | null;
  low?: number | null;
  high?: number | null;
}

/** Seconds since 1970, as the plot counts time. */
export function placedInTime(points: readonly Point[]): Placed[] {
  return points.map(({ at, ...point }) => ({ ...point, x: seconds(at) }));
}

export function placedByLabels(points: readonly CostPoint[]): Placed[] {
  return points.map(({ labels, value, low, high }) => ({ x: labels, value, low, high }));
}

export function seconds(at: string): number {
  return Date.parse(at) / 1000;
}

/** Columns as the plot takes them: place, value, then low and high, or the limit. Where the interval says more, it alone is drawn. */
export function plotColumns(
  points: readonly Placed[],
  band: boolean,
  limit: number | null,
): uPlot.AlignedData {
  const shown = withinValues(points);
  const places = shown.map((point) => point.x);
  const values = shown.map((point) => (isRough(point) ? null : point.value));
  if (band)
    return [
      places,
      values,
      shown.map((point) => point.low ?? null),
      shown.map((point) => point.high ?? null),
    ];
  if (limit !== null) return [places, values, shown.map(() => limit)];
  return [places, values];
}

export function knownValues(points: readonly Placed[]): number[] {
  return points.flatMap((point) => (point.value === null ? [] : [point.value]));
}

/** Empty steps before the first and after the last value say nothing. */
function withinValues(points: readonly Placed[]): readonly Placed[] {
  const known = (point: Placed) => point.value !== null;
  const first = points.findIndex(known);
  return first < 0 ? [] : points.slice(first, points.findLastIndex(known) + 1);
}
