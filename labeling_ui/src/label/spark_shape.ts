import type { Point } from "../api/monitoring_types";
import { isRough } from "../format/accuracy";

const WIDTH = 100;
const HEIGHT = 40;

export interface SparkShape {
  line: string;
  band: string;
  /** Where the line ends; null where the last value is no figure yet. */
  end: { x: number; y: number } | null;
  top: number;
  bottom: number;
  count: number;
  last: Point;
}

/** Paths for shares over time in a box of 100 × 40, the line only through those that are figures; null while no point has a value. */
export function sparkShape(points: readonly Point[]): SparkShape | null {
  const known = points.filter((point) => point.value !== null);
  const final = known.at(-1);
  if (!final) return null;
  const lows = known.map((point) => point.low ?? point.value!);
  // To the next ten percent below, so that the scale does not shiver with each answer.
  const bottom = Math.min(0.9, Math.floor(Math.min(...lows) * 10) / 10);
  const start = Date.parse(known[0]!.at);
  const span = Date.parse(final.at) - start || 1;
  const x = (point: Point) =>
    known.length === 1 ? WIDTH : ((Date.parse(point.at) - start) / span) * WIDTH;
  const y = (share: number) => ((1 - Math.min(share, 1)) / (1 - bottom)) * HEIGHT;
  const path = (of: (point: Point) => number, among: readonly Point[]) =>
    among.map((point) => `${x(point).toFixed(2)} ${y(of(point)).toFixed(2)}`).join("L");
  const figures = known.filter((point) => !isRough(point));
  const high = path((point) => point.high ?? point.value!, known);
  const low = path((point) => point.low ?? point.value!, [...known].reverse());
  return {
    line: figures.length > 0 ? `M${path((point) => point.value!, figures)}` : "",
    band: `M${high}L${low}Z`,
    end: isRough(final) ? null : { x: x(final), y: y(final.value!) },
    top: 1,
    bottom,
    count: known.length,
    last: final,
  };
}
