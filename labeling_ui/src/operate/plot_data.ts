import type uPlot from "uplot";
import type { Point } from "../api/monitoring_types";

/** Columns as the plot takes them: time in seconds, value, then low and high, or the limit. */
export function plotColumns(
  points: readonly Point[],
  band: boolean,
  limit: number | null,
): uPlot.AlignedData {
  const shown = withinValues(points);
  const times = shown.map((point) => Date.parse(point.at) / 1000);
  const values = shown.map((point) => point.value);
  if (band)
    return [
      times,
      values,
      shown.map((point) => point.low ?? null),
      shown.map((point) => point.high ?? null),
    ];
  if (limit !== null) return [times, values, shown.map(() => limit)];
  return [times, values];
}

export function knownValues(points: readonly Point[]): number[] {
  return points.flatMap((point) => (point.value === null ? [] : [point.value]));
}

/** Empty steps before the first and after the last value say nothing. */
function withinValues(points: readonly Point[]): readonly Point[] {
  const known = (point: Point) => point.value !== null;
  const first = points.findIndex(known);
  return first < 0 ? [] : points.slice(first, points.findLastIndex(known) + 1);
}
