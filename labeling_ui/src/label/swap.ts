const SETTLE_MS = 400;

/**
 * A question on screen that was swapped for another unasked. What is pressed right after was meant
 * for the one before, and so is what follows without a pause: somebody may be typing.
 */
export class Swap {
  /** When the other came on screen (clock ms); Infinity while none has, null when hands have rested since. */
  private since: number | null = null;

  happened(now: number, shown: boolean): void {
    this.since = shown ? now : Infinity;
  }

  /** A question came on the empty screen. */
  appeared(now: number): void {
    if (this.since === Infinity) this.since = now;
  }

  /** Another question was asked for. */
  over(): void {
    this.since = null;
  }

  /** Whether what is pressed now was meant for the question before. */
  catches(now: number): boolean {
    if (this.since === null) return false;
    if (now - this.since >= SETTLE_MS) this.since = null;
    else if (this.since !== Infinity) this.since = now;
    return this.since !== null;
  }
}
