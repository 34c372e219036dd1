import { expect, test } from "vitest";
import { ApiError } from "../../src/api/problem";
import type { Query } from "../../src/api/types";
import { HELD, LONG_POLL_SECONDS, Queue } from "../../src/label/queue";
import { FakeClock, queryNamed, settle } from "./fakes";

interface Lease {
  limit: number;
  waitSeconds: number;
  give(...names: string[]): Promise<void>;
  fail(): Promise<void>;
}

function queueWithServer() {
  const clock = new FakeClock();
  const leases: Lease[] = [];
  const queue = new Queue(
    (limit, waitSeconds) =>
      new Promise<Query[]>((resolve, reject) => {
        const give = (...names: string[]) => (resolve(names.map(queryNamed)), settle());
        const fail = () => (reject(new ApiError(503, "Not ready.")), settle());
        leases.push({ limit, waitSeconds, give, fail });
      }),
    clock,
    () => {},
  );
  queue.start();
  return { queue, leases, clock };
}

test("one is on screen and two wait before any is answered", async () => {
  const { queue, leases } = queueWithServer();
  await leases[0]!.give("a", "b", "c");
  expect(leases[0]!.limit).toBe(HELD);
  expect(queue.current?.query.id).toBe("a");
  expect(leases).toHaveLength(1);
});

test("taking one shows the next at once and asks for one more", async () => {
  const { queue, leases } = queueWithServer();
  await leases[0]!.give("a", "b", "c");
  queue.take();
  expect(queue.current?.query.id).toBe("b");
  await settle();
  expect(leases[1]).toMatchObject({ limit: 1, waitSeconds: 0 });
});

test("when nothing is left it waits by long poll and goes on by itself", async () => {
  const { queue, leases } = queueWithServer();
  await leases[0]!.give();
  expect(queue.dry).toBe(true);
  expect(leases[1]!.waitSeconds).toBe(LONG_POLL_SECONDS);
  await leases[1]!.give("late");
  expect(queue.current?.query.id).toBe("late");
  expect(queue.dry).toBe(false);
});

test("a question held already is not shown twice", async () => {
  const { queue, leases } = queueWithServer();
  await leases[0]!.give("a", "b");
  await leases[1]!.give("b");
  expect(queue.held.map(({ query }) => query.id)).toEqual(["a", "b"]);
});

test("a failing server is asked again after a pause", async () => {
  const { queue, leases, clock } = queueWithServer();
  await leases[0]!.fail();
  expect(queue.problem).toBe("Not ready.");
  await clock.wake();
  await leases[1]!.give("a");
  expect(queue.problem).toBeNull();
});

test("stopping hands over what is held", async () => {
  const { queue, leases } = queueWithServer();
  await leases[0]!.give("a", "b", "c");
  expect(queue.stop().map(({ query }) => query.id)).toEqual(["a", "b", "c"]);
  expect(queue.current).toBeNull();
});
