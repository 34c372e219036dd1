const CONNECTED_MS = 15_000;
const ALONE_MS = 4_000;
const REBUILDING_MS = 2_000;

/** How long to wait before the figures are read again though no event came. No event tells how far a rebuild is. */
export function pollDelay(connected: boolean, rebuilding: boolean): number {
  if (rebuilding) return REBUILDING_MS;
  return connected ? CONNECTED_MS : ALONE_MS;
}
