import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { throttled } from "../../src/live/throttle";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("many wishes make one run at once and one at the end", async () => {
  let runs = 0;
  const trigger = throttled(async () => void runs++, 1000);
  for (let wish = 0; wish < 50; wish++) trigger();
  expect(runs).toBe(1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(runs).toBe(2);
  await vi.advanceTimersByTimeAsync(5000);
  expect(runs).toBe(2);
});
