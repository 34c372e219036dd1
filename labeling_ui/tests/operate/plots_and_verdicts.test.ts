import { expect, test } from "vitest";
import type { Stats } from "../../src/api/monitoring_types";
import { alarmWords } from "../../src/operate/drift";
import {
  knownValues,
  placedByLabels,
  placedInTime,
  plotColumns,
} from "../../src/operate/plot_data";
import { around } from "../../src/operate/plot_options";
import { layerVerdict, learningVerdict } from "../../src/operate/verdict";

const at = (second: number) => new Date(second * 1000).toISOString();
const points = placedInTime([
  { at: at(0), value: null },
  { at: at(10), value: 0.5, low: 0.4, high: 0.6 },
  { at: at(20), value: null },
  { at: at(30), value: 0.7, low: 0.65, high: 0.8 },
  { at: at(40), value: null },
]);

test("columns begin and end with a value and carry the band", () => {
  expect(plotColumns(points, true, null)).toEqual([
    [10, 20, 30],
    [0.5, null, 0.7],
    [0.4, null, 0.65],
    [0.6, null, 0.8],
  ]);
});

test("where answers are too few for a figure only the band is drawn", () => {
  const few = placedInTime([
    { at: at(0), value: 0.8, low: 0.75, high: 0.85 },
    { at: at(10), value: 0.1, low: 0.1, high: 0.9 },
  ]);
  expect(plotColumns(few, true, null)).toEqual([
    [0, 10],
    [0.8, null],
    [0.75, 0.1],
    [0.85, 0.9],
  ]);
});

test("a limit is a level line", () => {
  expect(plotColumns(points, false, 0.05)[2]).toEqual([0.05, 0.05, 0.05]);
});

test("a series without values has none to plot", () => {
  expect(knownValues(points)).toEqual([0.5, 0.7]);
  expect(plotColumns([{ x: 0, value: null }], false, null)).toEqual([[], []]);
});

test("what labels bought is placed by how many were spent", () => {
  const curve = [{ labels: 40, samples: 900, value: 0.8, low: 0.72, high: 0.9 }];
  expect(plotColumns(placedByLabels(curve), true, null)).toEqual([[40], [0.8], [0.72], [0.9]]);
});

test("an alarm says what changed, and from what to what", () => {
  const alarm = { before: 0.01, after: 0.3, values: 96, at: at(0) };
  expect(alarmWords({ ...alarm, kind: "error" })).toContain("1.0 % before, 30.0 % since");
  expect(alarmWords({ ...alarm, kind: "novelty", after: 2 })).toContain("2 deviations since");
});

const layer = (saturated_share: number) => ({
  name: "hidden",
  saturated_share,
  mean_entropy_bits: 0.5,
  synapses: 10,
});

test("a layer's verdict follows its saturated share", () => {
  expect([0.1, 0.5, 0.85, 0.97].map((share) => layerVerdict(layer(share)).tone)).toEqual([
    "good",
    "good",
    "watch",
    "bad",
  ]);
});

function statsWith(change: Partial<Stats>): Stats {
  return {
    samples: 1000,
    labels: 40,
    rebuild: null,
    label_lag: { entries: 0, seconds: 0 },
    queries: { asked: 50 },
    spending: { seen: 980, spent: 30, free: 20 },
    query_rate: { overall: 0.05, window: 0.04, window_samples: 500, budget: 0.05 },
    health: { layers: [layer(0.2)], mean_update: 0.1, classes: {} },
    ...change,
  } as Stats;
}

test("the headline says whether it learns and what that costs", () => {
  const { words, cost } = learningVerdict(statsWith({}));
  expect(words).toBe("Learning.");
  expect(cost).toContain("50 questions per 1,000 samples");
  expect(cost).toContain("3.1 % spent of the 5.0 % budget");
});

test("a learner that falls behind or stiffens is called out", () => {
  const late = learningVerdict(statsWith({ label_lag: { entries: 3, seconds: 300 } }));
  expect(late).toMatchObject({ tone: "bad" });
  const rebuild = { state: "running", done: 1, total: 9, error: null } as const;
  const lag = { entries: 3, seconds: 300 };
  expect(learningVerdict(statsWith({ label_lag: lag, rebuild }))).toMatchObject({
    tone: "watch",
    words: expect.stringContaining("Rebuilding"),
  });
  const broken = { ...rebuild, state: "failed" } as const;
  expect(learningVerdict(statsWith({ label_lag: lag, rebuild: broken })).tone).toBe("bad");
  const frozen = { layers: [layer(0.99)], mean_update: 0, classes: {} };
  expect(learningVerdict(statsWith({ health: frozen })).words).toContain("hidden");
});

test("a plot of one point is of the minute around it", () => {
  expect(around(100, 160, 30)).toEqual([100, 160]);
  expect(around(100, 100, 30)).toEqual([70, 130]);
});
