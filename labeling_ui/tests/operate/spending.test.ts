import { expect, test } from "vitest";
import type { Stats } from "../../src/api/monitoring_types";
import { spendingOf } from "../../src/operate/spending";

function statsWith(spending: Stats["spending"], budget: number): Stats {
  const query_rate = { overall: 0.33, window: 0.33, window_samples: 500, budget };
  return { spending, query_rate } as Stats;
}

test("queries that were withdrawn are not held against the budget, however many were asked", () => {
  const { share, over, words } = spendingOf(statsWith({ seen: 475, spent: 12, free: 2 }, 0.2));
  expect(share).toBeCloseTo(12 / 475);
  expect(over).toBe(false);
  expect(words).toBe("2.5 % spent of the 20.0 % budget, 12 in 475 samples");
});

test("a few may be asked ahead of the budget, more are over it", () => {
  expect(spendingOf(statsWith({ seen: 10, spent: 10, free: 0 }, 0.05)).over).toBe(false);
  expect(spendingOf(statsWith({ seen: 100, spent: 16, free: 0 }, 0.05)).over).toBe(true);
});

test("in the warm-up nothing is spent", () => {
  const { share, over, words } = spendingOf(statsWith({ seen: 0, spent: 0, free: 20 }, 0.05));
  expect({ share, over }).toEqual({ share: null, over: false });
  expect(words).toBe("nothing spent yet of the 5.0 % budget");
});
