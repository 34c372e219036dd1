import { ApiError, wordsOf } from "../api/problem";
import type { Clock } from "./queue";

const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * What was done here and not yet acknowledged there, sent one by one in order.
 * A deed leaves only when `deliver` is through with it; a passing failure is tried again for ever.
 */
export class Outbox<Deed> {
  readonly pending: Deed[] = [];
  failing: string | null = null;
  private sending = false;
  private stopped = false;
  private resting: AbortController | null = null;

  constructor(
    private readonly deliver: (deed: Deed) => Promise<void>,
    private readonly clock: Clock,
    private readonly changed: () => void,
  ) {}

  add(deed: Deed): void {
    this.pending.push(deed);
    if (!this.sending) void this.send();
  }

  /** Takes a deed back before it is sent; false when it may already be on its way. */
  withdraw(deed: Deed): boolean {
    const index = this.pending.indexOf(deed);
    if (index < 0 || (index === 0 && this.sending)) return false;
    this.pending.splice(index, 1);
    return true;
  }

  /** Sends nothing more. */
  stop(): void {
    this.stopped = true;
    this.nudge();
  }

  /** Try again now, for instance because the network is back. */
  nudge(): void {
    this.resting?.abort();
  }

  private async send(): Promise<void> {
    this.sending = true;
    let failures = 0;
    while (this.pending.length > 0 && !this.stopped) {
      try {
        await this.deliver(this.pending[0]!);
        this.pending.shift();
        this.failing = null;
        failures = 0;
      } catch (error) {
        this.failing = wordsOf(error);
        this.changed();
        await this.rest(pauseAfter(error, failures++));
        continue;
      }
      this.changed();
    }
    this.sending = false;
  }

  private async rest(ms: number): Promise<void> {
    this.resting = new AbortController();
    await this.clock.sleep(ms, this.resting.signal);
    this.resting = null;
  }
}

function pauseAfter(error: unknown, failures: number): number {
  const asked = error instanceof ApiError ? error.retryAfterSeconds : null;
  return asked !== null ? asked * 1000 : BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)]!;
}
