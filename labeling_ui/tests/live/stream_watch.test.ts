import { afterEach, expect, test, vi } from "vitest";
import type { Engram } from "../../src/api/engram";
import { ApiError, unreachable } from "../../src/api/problem";
import { StreamWatch } from "../../src/live/stream_watch";

class Source extends EventTarget {
  static newest: Source;
  onopen: () => void = () => {};
  onerror: () => void = () => {};

  constructor(readonly address: string) {
    super();
    Source.newest = this;
  }

  close(): void {}
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A watch on a stream whose settings are read as the test says. */
function watching(settings: () => Promise<object>) {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("document", { hidden: false, addEventListener() {}, removeEventListener() {} });
  const stats = vi.fn().mockResolvedValue({});
  const stream = vi.fn(settings);
  const api = { eventsAddress: () => "/events", stream, stats } as unknown as Engram;
  const watch = new StreamWatch(api, "s", { metrics: [], events: ["label", "stream"] });
  watch.start();
  return { watch, stats, stream, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

test("what happened before anybody listened is read once the events are connected", async () => {
  const { watch, stats, pass } = watching(async () => ({ classes: [] }));
  await pass(1100);
  expect(stats).toHaveBeenCalledTimes(1);
  Source.newest.onopen();
  await pass(1100);
  expect(stats).toHaveBeenCalledTimes(2);
  watch.stop();
});

test("a page opened while the server was away reads the settings until it has them", async () => {
  let away = true;
  const { watch, pass } = watching(async () => {
    if (away) throw unreachable();
    return { classes: ["cat"] };
  });
  await pass(5_000);
  expect(watch.stream).toBeNull();
  expect(watch.problem).toBe("The server cannot be reached.");
  away = false;
  await pass(5_000);
  expect(watch.stream).toMatchObject({ classes: ["cat"] });
  expect(watch.problem).toBeNull();
  watch.stop();
});

test.each([
  ["settings that change", "stream", {}],
  ["a class not known yet", "label", { label: "dog" }],
])("%s are read as soon as they are told of", async (_what, event, data) => {
  let classes = ["cat"];
  const { watch, stream, pass } = watching(async () => ({ classes }));
  Source.newest.onopen();
  await pass(2_000);
  const reads = stream.mock.calls.length;
  await pass(30_000);
  expect(stream).toHaveBeenCalledTimes(reads);
  classes = ["cat", "dog"];
  Source.newest.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(data) }));
  await pass(1_000);
  expect(watch.stream?.classes).toEqual(["cat", "dog"]);
  watch.stop();
});

test("where no event can tell, changed settings are found by reading", async () => {
  let guidelines = "old";
  const { watch, pass } = watching(async () => ({ classes: [], guidelines }));
  await pass(1_000);
  guidelines = "new";
  await pass(5_000);
  expect(watch.stream?.guidelines).toBe("new");
  watch.stop();
});

test("a stream that is deleted is asked for nothing more", async () => {
  let there = true;
  const { watch, stats, pass } = watching(async () => ({ classes: [] }));
  stats.mockImplementation(async () => {
    if (!there) throw new ApiError(404, "There is no stream 's'.");
    return {};
  });
  let told = 0;
  watch.onGone = () => told++;
  await pass(2_000);
  there = false;
  await pass(10_000);
  expect(watch.gone).toBe(true);
  expect(told).toBe(1);
  const reads = stats.mock.calls.length;
  await pass(120_000);
  expect(stats).toHaveBeenCalledTimes(reads);
});
