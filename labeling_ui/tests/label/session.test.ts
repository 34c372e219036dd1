import { afterEach, expect, test, vi } from "vitest";
import { Client } from "../../src/api/client";
import { Engram } from "../../src/api/engram";
import { AnswerStore } from "../../src/label/answer_store";
import { LabelSession } from "../../src/label/session";
import { FakeClock, FakeStorage, queryNamed, settle } from "./fakes";

/** A server in a function: what it was asked, and how it answers. */
class FakeServer {
  asked: string[] = [];
  answer: () => Response = () => Response.json({ label_id: "l1", seq: 1 });
  /** Queries whose leases are lost. */
  gone: string[] = [];

  fetch = async (path: string, init: RequestInit): Promise<Response> => {
    const body = init.body ? JSON.parse(String(init.body)) : {};
    if (path.endsWith(":lease")) {
      const first = this.asked.length === 0;
      this.asked.push("lease");
      if (!first) return new Promise(() => {});
      return Response.json({ queries: ["a", "b", "c"].map(queryNamed) });
    }
    this.asked.push([init.method, path.replace("/v1/", ""), body.label].filter(Boolean).join(" "));
    if (path.endsWith(":answer")) return this.answer();
    if (this.gone.some((id) => path.includes(`/${id}:`)))
      return Response.json({ detail: "Lease lost." }, { status: 410 });
    const lease = { token: "new lease", expires_at: new Date(90_000).toISOString() };
    return Response.json({ label_id: "l1", seq: 2, retracted: true, query: { id: "a", lease } });
  };

  sent = () => this.asked.filter((line) => line !== "lease");
}

async function labeling(storage = new FakeStorage(), answer?: () => Response) {
  const server = new FakeServer();
  if (answer) server.answer = answer;
  const clock = new FakeClock();
  const api = new Engram(new Client("/v1", server.fetch));
  let keys = 0;
  const store = new AnswerStore(storage, "digits", "anna");
  const session = new LabelSession(api, "digits", store, clock, () => `key ${keys++}`);
  session.queue.start();
  await longSettle();
  return { session, server, clock, storage };
}

/** The same with the leases kept alive, on a clock whose seconds the test lets pass. */
async function present() {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const parts = await labeling();
  parts.session.start();
  const seconds = async (count: number) => {
    for (let second = 0; second < count; second++) {
      parts.clock.time += 1_000;
      vi.advanceTimersByTime(1_000);
      await longSettle();
    }
  };
  return { ...parts, seconds };
}

afterEach(() => void vi.useRealTimers());

async function longSettle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve));
  await settle();
}

test("an answer shows the next question at once and is delivered behind it", async () => {
  const { session, server, storage } = await labeling();
  session.answer("7");
  expect(session.queue.current?.query.id).toBe("b");
  expect(session.answered).toBe(1);
  await longSettle();
  expect(server.sent()).toEqual(["POST queries/a:answer 7"]);
  expect(storage.length).toBe(0);
});

test("an answer outlives a server that cannot be reached", async () => {
  const { session, server, clock, storage } = await labeling();
  server.answer = () => {
    throw new TypeError("network");
  };
  session.answer("7");
  await longSettle();
  expect(session.outbox.pending).toHaveLength(1);
  expect(storage.length).toBe(1);
  server.answer = () => Response.json({ label_id: "l1", seq: 1 });
  await clock.wake();
  await longSettle();
  expect(session.outbox.pending).toHaveLength(0);
});

test("answers that an earlier page left behind are sent by the next", async () => {
  const first = await labeling();
  first.server.answer = () => Response.json({ detail: "No token." }, { status: 401 });
  first.session.answer("7");
  await longSettle();
  const { server } = await labeling(first.storage);
  await longSettle();
  expect(server.sent()).toEqual(["POST queries/a:answer 7"]);
  expect(first.storage.length).toBe(0);
});

test("undo brings the question back with its old answer and takes the label back", async () => {
  const { session, server } = await labeling();
  session.answer("7");
  await longSettle();
  expect(session.undo()).toBe(true);
  expect(session.queue.current).toMatchObject({ previous: "7", query: { id: "a" } });
  expect(session.answered).toBe(0);
  session.answer("1");
  await longSettle();
  expect(server.sent().slice(1)).toEqual(["DELETE labels/l1", "POST queries/a:answer 1"]);
});

test("undo goes several steps back", async () => {
  const { session } = await labeling();
  session.answer("1");
  session.answer("2");
  session.undo();
  session.undo();
  expect(session.queue.held.map(({ query }) => query.id)).toEqual(["a", "b", "c"]);
  expect(session.canUndo).toBe(false);
});

test("an answer to a lost lease is given up", async () => {
  const { session, server, storage } = await labeling();
  server.answer = () => Response.json({ detail: "Gone." }, { status: 410 });
  session.answer("7");
  await longSettle();
  expect(session.outbox.pending).toHaveLength(0);
  expect(session.queue.current?.query.id).toBe("b");
  expect(storage.length).toBe(0);
});

test("a label that is not allowed brings its question back and says why", async () => {
  const { session, server } = await labeling();
  server.answer = () => Response.json({ detail: "Not a class." }, { status: 422 });
  session.answer("nonsense");
  await longSettle();
  expect(session.queue.current?.query.id).toBe("a");
  expect(session.said).toEqual({ words: "Not a class.", warning: true });
  expect(session.answered).toBe(0);
});

test("an answer that waits for others is taken back by its question", async () => {
  const { session, server } = await labeling();
  server.answer = () => Response.json({ label_id: null, seq: null, pending: true });
  session.answer("7");
  await longSettle();
  session.undo();
  await longSettle();
  expect(server.sent()).toEqual(["POST queries/a:answer 7", "POST queries/a:retract"]);
});

test("a question that is withdrawn while it is on screen says so", async () => {
  const { session, server, seconds } = await present();
  server.gone = ["a"];
  await seconds(21);
  expect(session.queue.current?.query.id).toBe("b");
  expect(session.said).toMatchObject({
    warning: true,
    words: expect.stringContaining("withdrawn"),
  });
});

test("one that is withdrawn while it waits goes without a word", async () => {
  const { session, server, seconds } = await present();
  server.gone = ["b"];
  await seconds(21);
  expect(session.queue.held.map(({ query }) => query.id)).toEqual(["a", "c"]);
  expect(session.said).toBeNull();
});

test("what was begun on a withdrawn question is not applied to the next", async () => {
  const { session, server, clock, seconds } = await present();
  const seen = session.queue.current;
  server.gone = ["a"];
  await seconds(21);
  clock.time += 60_000;
  expect(session.answer("for a", seen)).toBe(false);
  expect(session.skip("unclear", seen)).toBe(false);
  expect(session.queue.current?.query.id).toBe("b");
  expect(session.answered).toBe(0);
});

test("a press at the moment of the swap is not applied to the next question", async () => {
  const { session, server, clock, seconds } = await present();
  server.gone = ["a"];
  await seconds(20);
  expect(session.answer("7")).toBe(false);
  clock.time += 400;
  expect(session.answer("7")).toBe(true);
});

test.each([
  ["answers", (session: LabelSession) => session.answer("7")],
  ["skips", (session: LabelSession) => session.skip("unclear")],
  ["takes back", (session: LabelSession) => session.undo()],
])("who %s is there, whatever it is done by", async (_what, deed) => {
  const { session, clock, seconds } = await present();
  clock.time += 280_000;
  deed(session);
  clock.time += 280_000;
  await seconds(1);
  expect(session.paused).toBe(false);
  clock.time += 280_000;
  await seconds(1);
  expect(session.paused).toBe(true);
});

test("answers that came too late are counted, and nobody else is said to have the question", async () => {
  const { session, server } = await labeling();
  server.answer = () => Response.json({ detail: "Gone." }, { status: 410 });
  session.answer("1");
  session.answer("2");
  session.answer("3");
  await longSettle();
  expect(session.uncounted).toBe(3);
  expect(session.answered).toBe(0);
  expect(session.said?.words).toMatch(
    /^3 answers were not counted: their questions were withdrawn/,
  );
});

test("answers kept by an earlier page say why they were refused", async () => {
  const first = await labeling();
  first.server.answer = () => Response.json({ detail: "No token." }, { status: 401 });
  first.session.answer("7");
  await longSettle();
  const late = await labeling(first.storage, () =>
    Response.json({ detail: "Gone." }, { status: 410 }),
  );
  await longSettle();
  expect(late.session.said?.words).toMatch(/^1 answer was not counted: its question was withdrawn/);
});

test("of a question that is no longer there nobody is shown the id", async () => {
  const { session, server } = await labeling();
  const detail = "there is no query 'q_01a2'";
  server.answer = () => Response.json({ detail }, { status: 404 });
  session.answer("7");
  await longSettle();
  expect(session.said?.words).toMatch(/^1 answer was not counted/);
  expect(session.said?.words).not.toContain("q_01a2");
});
