import { interval, MISSING, percent } from "./numbers";

interface Interval {
  low?: number | null;
  high?: number | null;
}

interface Known extends Interval {
  estimate: number | null;
  low: number | null;
  high: number | null;
}

/** An estimate may lie at the end of an interval as wide as that, and says less than the interval does. */
const ROUGH = 0.2;

/** Are there too few answers for one figure? */
export function isRough({ low = null, high = null }: Interval): boolean {
  return low !== null && high !== null && high - low > ROUGH;
}

/** "92.1 %", or "26–90 %" where the answers are too few for one figure. */
export function accuracyFigure(known: Known | undefined): string {
  if (known === undefined || known.estimate === null) return MISSING;
  return isRough(known) ? interval(known.low, known.high, 0) : percent(known.estimate);
}

/** What the figure is, if it is an interval; else the interval that belongs to it. */
export function intervalWords(known: Known): string {
  if (isRough(known)) return "95 % interval, too few answers for one figure yet";
  if (known.low !== null && known.low === known.high) return "exact: every label of it is known";
  return `95 % interval ${interval(known.low, known.high)}`;
}
