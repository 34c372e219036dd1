import { expect, test } from "vitest";
import { pollDelay } from "../../src/live/poll_delay";

test("figures are read seldom while events come, and often while a rebuild goes on without any", () => {
  expect(pollDelay(true, false)).toBeGreaterThan(pollDelay(false, false));
  expect(pollDelay(true, true)).toBeLessThan(pollDelay(false, false));
  expect(pollDelay(false, true)).toBe(pollDelay(true, true));
});
