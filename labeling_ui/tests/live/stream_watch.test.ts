import { afterEach, expect, test, vi } from "vitest";
import type { Engram } from "../../src/api/engram";
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

test("what happened before anybody listened is read once the events are connected", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("document", { hidden: false, addEventListener() {}, removeEventListener() {} });
  const stats = vi.fn().mockResolvedValue({});
  const api = { eventsAddress: () => "/events", stream: async () => ({ classes: [] }), stats };
  const watch = new StreamWatch(api as unknown as Engram, "s", { metrics: [], events: ["label"] });
  watch.start();
  await vi.advanceTimersByTimeAsync(1100);
  expect(stats).toHaveBeenCalledTimes(1);
  Source.newest.onopen();
  await vi.advanceTimersByTimeAsync(1100);
  expect(stats).toHaveBeenCalledTimes(2);
  watch.stop();
});
