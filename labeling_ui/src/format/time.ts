import { MISSING } from "./numbers";

const STEPS: [limit: number, size: number, unit: string][] = [
  [90, 1, "s"],
  [90 * 60, 60, "min"],
  [36 * 3600, 3600, "h"],
  [Infinity, 86400, "d"],
];

/** A stretch of time in its most telling unit: "8 s", "12 min", "3 h", "5 d". */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return MISSING;
  if (seconds > 0 && seconds < 1) return "under 1 s";
  for (const [limit, size, unit] of STEPS)
    if (seconds < limit) return `${Math.round(seconds / size)} ${unit}`;
  return MISSING;
}

export function clockTime(at: Date): string {
  return at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
