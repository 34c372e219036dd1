const WINDOW_MS = 120_000;
const SHORTEST_MS = 10_000;

/** Answers per minute over the last two minutes. */
export class Pace {
  private times: number[] = [];

  add(now: number): void {
    this.times.push(now);
  }

  takeBack(): void {
    this.times.pop();
  }

  /** null until there is enough to tell. */
  perMinute(now: number): number | null {
    this.times = this.times.filter((time) => now - time < WINDOW_MS);
    const first = this.times[0];
    if (first === undefined || this.times.length < 2) return null;
    return (this.times.length / Math.max(now - first, SHORTEST_MS)) * 60_000;
  }
}
