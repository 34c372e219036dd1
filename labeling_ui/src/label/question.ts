import type { Query } from "../api/types";

/** A query in this person's hands. */
export interface Question {
  readonly query: Query;
  /** The lease now held; null while an answer is being taken back. */
  leaseToken: string | null;
  /** When to tell the server next that we still hold it (clock ms). */
  nextHeartbeatAt: number;
  /** When it first came on screen (clock ms). */
  shownAt: number | null;
  /** What was answered before it was brought back. */
  previous: string | null;
}

const SOONEST_MS = 3_000;
const LATEST_MS = 20_000;

export function questionFrom(query: Query, now: number): Question {
  const nextHeartbeatAt = heartbeatAfter(query.lease.expires_at, now);
  return { query, leaseToken: query.lease.token, nextHeartbeatAt, shownAt: null, previous: null };
}

/** A third of the way to expiry, within bounds that forgive a clock that disagrees. */
export function heartbeatAfter(expiresAt: string, now: number): number {
  const left = Date.parse(expiresAt) - now;
  const third = Number.isFinite(left) ? left / 3 : SOONEST_MS;
  return now + Math.min(LATEST_MS, Math.max(SOONEST_MS, third));
}
