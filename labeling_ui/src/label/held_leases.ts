import type { Engram } from "../api/engram";
import { ApiError } from "../api/problem";
import { type Question, heartbeatAfter } from "./question";
import type { Clock, Queue } from "./queue";

const TICK_MS = 1_000;
/** After this long without a sign of life the questions go back, so that others can answer them. */
const IDLE_MS = 5 * 60_000;

/** Keeps the leases of what is held alive, as long as somebody is there. */
export function heldLeases(
  api: Engram,
  queue: Queue,
  clock: Clock,
  lost: (queryId: string) => void,
  fellIdle: () => void,
) {
  let timer: ReturnType<typeof setInterval> | undefined;
  let lastSign = clock.now();

  function tick(): void {
    const now = clock.now();
    if (queue.held.length > 0 && now - lastSign > IDLE_MS) return fellIdle();
    for (const question of [...queue.held])
      if (question.leaseToken && question.nextHeartbeatAt <= now) void beat(question);
  }

  async function beat(question: Question): Promise<void> {
    const { query, leaseToken } = question;
    question.nextHeartbeatAt = clock.now() + 5_000;
    try {
      const { expires_at } = await api.heartbeat(query.id, leaseToken!);
      question.nextHeartbeatAt = heartbeatAfter(expires_at, clock.now());
    } catch (error) {
      const refused = error instanceof ApiError && !error.passing && error.status !== 401;
      // The lease may have changed meanwhile: only this one is lost.
      if (refused && question.leaseToken === leaseToken) lost(query.id);
    }
  }

  return {
    start(): void {
      lastSign = clock.now();
      clearInterval(timer);
      timer = setInterval(tick, TICK_MS);
    },
    stop: () => clearInterval(timer),
    touch: () => void (lastSign = clock.now()),
  };
}
