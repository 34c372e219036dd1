import type { Query } from "../../src/api/types";
import type { Clock } from "../../src/label/queue";

/** A clock that stands still; sleepers wake when told to, or when interrupted. */
export class FakeClock implements Clock {
  time = 0;
  private sleepers: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  sleep(_ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.sleepers.push(resolve);
      signal.addEventListener("abort", () => resolve());
    });
  }

  async wake(): Promise<void> {
    for (const resolve of this.sleepers.splice(0)) resolve();
    await settle();
  }
}

/** Lets everything that is ready to run do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

export function queryNamed(id: string): Query {
  return {
    id,
    sample_id: `sample of ${id}`,
    data: [0],
    display: null,
    prediction: null,
    uncertainty: null,
    reason: "uncertain",
    lease: { token: `lease of ${id}`, expires_at: new Date(60_000).toISOString() },
  };
}

/** A browser storage in memory. */
export class FakeStorage {
  readonly items = new Map<string, string>();

  get length(): number {
    return this.items.size;
  }
  key = (index: number) => [...this.items.keys()][index] ?? null;
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}
