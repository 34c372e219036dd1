import type { Engram } from "../api/engram";
import { ApiError } from "../api/problem";
import type { Answered, Retracted, SkipReason } from "../api/types";
import { plural } from "../format/numbers";
import { Store } from "../store";
import type { AnswerStore, KeptAnswer } from "./answer_store";
import { type AnswerDeed, type Deed, type Outcomes, delivery } from "./deeds";
import { heldLeases } from "./held_leases";
import type { KeyMap } from "./keys";
import { Outbox } from "./outbox";
import { Pace } from "./pace";
import { type Question, heartbeatAfter } from "./question";
import { type Clock, Queue } from "./queue";
import { Remaining } from "./remaining";
import { Swap } from "./swap";

const WITHDRAWN = "Your question was withdrawn before you answered it; nothing was sent for it.";
const GONE = "That answer is taken back, but its question cannot be shown again.";

function uncountedWords(count: number): string {
  const [were, their] =
    count === 1 ? ["was", "its question was"] : ["were", "their questions were"];
  return `${plural(count, "answer")} ${were} not counted: ${their} withdrawn, or the time to answer was over.`;
}

/** One person labeling one stream: what is on screen, what is on its way, what can be undone. */
export class LabelSession extends Store implements Outcomes {
  answered = 0;
  /** Answers that came when their question could no longer be answered. */
  uncounted = 0;
  paused = false;
  /** What just happened, in words; a warning is something unexpected. */
  said: { words: string; warning: boolean } | null = null;
  last: AnswerDeed | null = null;
  /** The figures are to be read anew: they changed by what we leased, or nothing can be leased. */
  onNews: () => void = () => {};
  readonly addedClasses: string[] = [];
  /** Null until the classes are known. */
  keys: KeyMap | null = null;
  readonly pace = new Pace();
  readonly remaining = new Remaining();
  readonly queue: Queue;
  readonly outbox: Outbox<Deed>;
  private readonly history: AnswerDeed[] = [];
  private readonly swap = new Swap();
  private readonly leases: ReturnType<typeof heldLeases>;

  constructor(
    private readonly api: Engram,
    readonly stream: string,
    private readonly store: AnswerStore,
    private readonly clock: Clock,
    private readonly newKey: () => string,
  ) {
    super();
    const redraw = () => this.changed();
    const lease = (limit: number, wait: number, signal: AbortSignal) =>
      api.lease(stream, limit, wait, signal);
    this.queue = new Queue(lease, clock, (taken) => {
      this.remaining.leased(taken);
      if (taken > 0 || this.queue.problem) this.onNews();
      // The time to answer begins when there is something to answer.
      if (taken > 0 && taken === this.queue.held.length) {
        this.touch();
        this.swap.appeared(clock.now());
      }
      this.changed();
    });
    this.outbox = new Outbox(delivery(api, this), clock, redraw);
    this.leases = heldLeases(
      api,
      this.queue,
      clock,
      (queryId) => this.lost(queryId),
      () => this.pause(),
    );
    for (const kept of store.left()) this.outbox.add({ kind: "resend", kept });
  }

  start(): void {
    this.paused = false;
    this.queue.start();
    this.leases.start();
    this.changed();
  }

  /** Gives back what is held; what was answered is still delivered. */
  stop(): void {
    this.leases.stop();
    for (const { query, leaseToken } of this.queue.stop()) {
      this.remaining.leased(-1);
      if (leaseToken) void this.api.release(query.id, leaseToken).catch(() => {});
    }
    this.changed();
  }

  /** This person has left: what is not delivered stays kept for the next sign-in. */
  close(): void {
    this.stop();
    this.outbox.stop();
  }

  pause(): void {
    this.stop();
    this.paused = true;
    this.changed();
  }

  /** The person is here. */
  touch(): void {
    this.leases.touch();
  }

  shown(): void {
    const { current } = this.queue;
    if (current) current.shownAt ??= this.clock.now();
  }

  /** Whether a press comes too soon after a swap to be meant for what is on screen now. */
  catches(): boolean {
    return this.swap.catches(this.clock.now());
  }

  /** Answers the question that the person saw, or none if another is on screen by now. */
  answer(label: string, seen = this.queue.current): boolean {
    const question = this.takeSeen(seen);
    if (!question) return false;
    const now = this.clock.now();
    const durationMs = Math.round(now - (question.shownAt ?? now));
    const { leaseToken } = question;
    const fixed = { idempotencyKey: this.newKey(), leaseToken, labelId: null, pending: false };
    const deed: AnswerDeed = { kind: "answer", question, label, durationMs, ...fixed };
    this.keep(deed);
    this.history.push(deed);
    this.outbox.add(deed);
    this.last = deed;
    this.say(`Answered ${label}`);
    this.answered += 1;
    this.pace.add(now);
    this.changed();
    return true;
  }

  skip(reason: SkipReason, seen = this.queue.current): boolean {
    const question = this.takeSeen(seen);
    if (!question) return false;
    this.outbox.add({ kind: "skip", question, reason, idempotencyKey: this.newKey() });
    this.say("Skipped");
    this.changed();
    return true;
  }

  get canUndo(): boolean {
    return this.history.length > 0;
  }

  /** Brings the last answered question back on screen at once. */
  undo(): boolean {
    this.touch();
    const answer = this.history.pop();
    if (!answer) return false;
    const { question } = answer;
    if (this.outbox.withdraw(answer)) this.store.forget(answer.idempotencyKey);
    else {
      question.leaseToken = null;
      this.outbox.add({ kind: "retract", answer });
    }
    question.previous = answer.label;
    question.shownAt = null;
    this.queue.putBack(question);
    this.swap.over();
    this.uncount(answer);
    this.say(`Took back ${answer.label}`);
    this.changed();
    return true;
  }

  beforeAnswer(answer: AnswerDeed): void {
    this.keep(answer);
  }

  acknowledged(answer: AnswerDeed, result: Answered): void {
    answer.labelId = result.label_id;
    answer.pending = result.label_id === null;
    this.store.forget(answer.idempotencyKey);
  }

  answerRefused(answer: AnswerDeed, problem: ApiError): void {
    // Signed out: the answer stays kept and goes out after the next sign-in.
    if (problem.status === 401) return;
    this.store.forget(answer.idempotencyKey);
    const index = this.history.indexOf(answer);
    if (index >= 0) {
      this.history.splice(index, 1);
      this.uncount(answer);
    }
    if (problem.status === 422) this.askAgain(answer);
    this.sayRefused(problem);
  }

  retracted(answer: AnswerDeed, result: Retracted): void {
    const { question } = answer;
    if (result.query) {
      question.leaseToken = result.query.lease.token;
      question.nextHeartbeatAt = heartbeatAfter(result.query.lease.expires_at, this.clock.now());
      return;
    }
    this.drop(question.query.id);
    this.say(GONE, true);
  }

  retractionRefused(answer: AnswerDeed, problem: ApiError): void {
    this.drop(answer.question.query.id);
    this.answered += 1;
    this.say(`The answer stands: ${problem.detail}`, true);
  }

  resent(kept: KeptAnswer, problem: ApiError | null): void {
    if (problem?.status === 401) return;
    this.store.forget(kept.idempotencyKey);
    if (problem) this.sayRefused(problem);
  }

  private takeSeen(seen: Question | null): Question | null {
    this.touch();
    return this.queue.current === seen && !this.catches() ? this.queue.take() : null;
  }

  private lost(queryId: string): void {
    if (this.drop(queryId)) this.say(WITHDRAWN, true);
    this.changed();
  }

  /** Takes a question away that nobody here is through with; true when it was on screen. */
  private drop(queryId: string): boolean {
    const swapped = this.queue.drop(queryId);
    if (swapped) this.swapped();
    return swapped;
  }

  private swapped(): void {
    this.swap.happened(this.clock.now(), this.queue.current !== null);
  }

  private sayRefused(problem: ApiError): void {
    if (!problem.gone) return this.say(problem.detail, true);
    this.uncounted += 1;
    this.say(uncountedWords(this.uncounted), true);
  }

  private say(words: string, warning = false): void {
    this.said = { words, warning };
  }

  private keep({ idempotencyKey, question, leaseToken, label, durationMs }: AnswerDeed): void {
    if (!leaseToken) return;
    const queryId = question.query.id;
    this.store.keep({ idempotencyKey, queryId, leaseToken, label, durationMs });
  }

  private askAgain({ question, label }: AnswerDeed): void {
    const added = this.addedClasses.indexOf(label);
    if (added >= 0) this.addedClasses.splice(added, 1);
    question.shownAt = null;
    this.queue.putBack(question);
    this.swapped();
  }

  private uncount(answer: AnswerDeed): void {
    this.answered -= 1;
    this.pace.takeBack();
    if (this.last === answer) this.last = this.history.at(-1) ?? null;
  }
}
