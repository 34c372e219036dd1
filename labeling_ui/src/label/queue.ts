import { wordsOf } from "../api/problem";
import type { Query } from "../api/types";
import { type Question, questionFrom } from "./question";

/** One on screen and two waiting: the next is always here before it is needed. */
export const HELD = 3;
export const LONG_POLL_SECONDS = 25;
const LOOK_AGAIN_MS = 3_000;
const BACKOFF_MS = [500, 1_000, 2_000, 5_000];

type LeaseCall = (limit: number, waitSeconds: number, signal: AbortSignal) => Promise<Query[]>;
export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Keeps this person's next questions at hand; the first of them is on screen. */
export class Queue {
  readonly held: Question[] = [];
  problem: string | null = null;
  /** The server had nothing to ask when we last looked. */
  dry = false;
  private running: AbortController | null = null;
  private resting: AbortController | null = null;
  private nudged = false;

  constructor(
    private readonly lease: LeaseCall,
    private readonly clock: Clock,
    private readonly changed: (taken: number) => void,
  ) {}

  get current(): Question | null {
    return this.held[0] ?? null;
  }

  start(): void {
    if (this.running) return;
    this.running = new AbortController();
    void this.fill(this.running.signal);
  }

  /** Stops looking for more and hands over what is still held. */
  stop(): Question[] {
    this.running?.abort();
    this.running = null;
    this.nudge();
    return this.held.splice(0);
  }

  /** Takes the question on screen away; the next one is there at once. */
  take(): Question | null {
    const taken = this.held.shift() ?? null;
    this.nudge();
    return taken;
  }

  putBack(question: Question): void {
    this.held.unshift(question);
  }

  /** Takes a question away, wherever it waits; true when it was on screen. */
  drop(queryId: string): boolean {
    const index = this.held.findIndex((question) => question.query.id === queryId);
    if (index >= 0) this.held.splice(index, 1);
    this.nudge();
    return index === 0;
  }

  /** Look for more now. */
  nudge(): void {
    this.nudged = true;
    this.resting?.abort();
  }

  private async fill(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.fillOnce(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.problem = wordsOf(error);
        this.changed(0);
        await this.rest(BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)]!, signal);
      }
    }
  }

  private async fillOnce(signal: AbortSignal): Promise<void> {
    const missing = HELD - this.held.length;
    if (missing <= 0) return this.rest(Infinity, signal);
    const longPoll = this.held.length === 0 && this.dry;
    const asked = this.clock.now();
    const found = await this.lease(missing, longPoll ? LONG_POLL_SECONDS : 0, signal);
    this.problem = null;
    const taken = signal.aborted ? 0 : this.add(found);
    this.dry = found.length === 0;
    this.changed(taken);
    const answeredAtOnce = this.clock.now() - asked < 1_000;
    const startsLongPoll = this.held.length === 0 && !longPoll;
    if (taken === 0 && answeredAtOnce && !startsLongPoll) await this.rest(LOOK_AGAIN_MS, signal);
  }

  private add(found: Query[]): number {
    let taken = 0;
    for (const query of found) {
      const known = this.held.find((question) => question.query.id === query.id);
      if (known) {
        known.leaseToken = query.lease.token;
        continue;
      }
      this.held.push(questionFrom(query, this.clock.now()));
      taken += 1;
    }
    return taken;
  }

  private async rest(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.nudged && !signal.aborted) {
      this.resting = new AbortController();
      await this.clock.sleep(ms, this.resting.signal);
      this.resting = null;
    }
    this.nudged = false;
  }
}
