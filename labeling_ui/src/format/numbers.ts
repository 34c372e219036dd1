/** Numbers as people read them. A missing number is a dash. */

export const MISSING = "–";

export function percent(share: number | null | undefined, digits = 1): string {
  if (share == null || !Number.isFinite(share)) return MISSING;
  return `${(share * 100).toFixed(digits)} %`;
}

/** "88.1–94.0 %", or "88.1 %" where both ends read the same. */
export function interval(low: number | null, high: number | null, digits = 1): string {
  if (low == null || high == null) return MISSING;
  const [from, to] = [percent(low, digits), percent(high, digits)];
  return from === to ? from : `${from.replace(" %", "")}–${to}`;
}

/** ", for 40.0 % of the samples" where a figure does not speak for all of them, else nothing. */
export function coverage(covered: number | null | undefined): string {
  return covered == null || covered >= 1 ? "" : `, for ${percent(covered)} of the samples`;
}

export function whole(count: number | null | undefined): string {
  if (count == null || !Number.isFinite(count)) return MISSING;
  return Math.round(count).toLocaleString("en");
}

/** Three telling digits, whatever the size. */
export function short(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return MISSING;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}
