import { expect, test } from "vitest";
import type { QueryPolicy } from "../../src/api/types";
import { NUMBERS } from "../../src/operate/asking_fields";
import { changesOf, formOf, refusalsOf } from "../../src/operate/asking_form";

const POLICY: QueryPolicy = {
  strategy: "variation_ratio",
  budget: 0.05,
  exploration: 0.1,
  warmup_labels: 20,
  labels_per_hour: null,
  labels_per_day: 400,
  max_open: 20_000,
  rarity: 0,
  duplicate_radius: 0.05,
  withdraw_below: 0.25,
  expire_after_seconds: 604_800,
  overlap: 1,
  overlap_share: 1,
  consensus: "majority",
  gold_share: 0,
  drift_exploration: 3,
  drift_samples: 1000,
};

test("every part of the policy has a field", () => {
  expect(Object.keys(formOf(POLICY)).sort()).toEqual(Object.keys(POLICY).sort());
});

test("shares are shown in per cent, ages in hours, and what is absent as nothing", () => {
  expect(formOf(POLICY)).toMatchObject({
    strategy: "variation_ratio",
    budget: "5",
    labels_per_hour: "",
    labels_per_day: "400",
    withdraw_below: "25",
    expire_after_seconds: "168",
    rarity: "0",
  });
  expect(formOf({ ...POLICY, expire_after_seconds: 0 }).expire_after_seconds).toBe("");
});

test("a part that the service does not tell is empty, and stays out of the changes", () => {
  const { drift_samples: _, ...older } = POLICY;
  expect(formOf(older).drift_samples).toBe("");
  expect(changesOf(older, {})).toEqual({});
});

test("the change of unit leaves no dust, there or back", () => {
  for (let thousandths = 0; thousandths <= 1000; thousandths++) {
    const budget = thousandths / 1000;
    const form = formOf({ ...POLICY, budget });
    expect(form.budget.length).toBeLessThanOrEqual(4);
    expect(changesOf({ ...POLICY, budget: 2 }, { budget: form.budget })).toEqual({ budget });
  }
  expect(formOf({ ...POLICY, budget: 0.29 }).budget).toBe("29");
  const second = formOf({ ...POLICY, expire_after_seconds: 1 }).expire_after_seconds;
  expect(changesOf(POLICY, { expire_after_seconds: second })).toEqual({ expire_after_seconds: 1 });
});

test("what was not edited is not sent, however many digits it has", () => {
  const policy = { ...POLICY, budget: 0.123456789012345678, expire_after_seconds: 1 / 3 };
  expect(changesOf(policy, {})).toEqual({});
  expect(changesOf(policy, formOf(policy))).toEqual({});
});

test("only what means something else is sent", () => {
  expect(changesOf(POLICY, { budget: "5.0", exploration: "20" })).toEqual({ exploration: 0.2 });
  expect(changesOf(POLICY, { strategy: "margin" })).toEqual({ strategy: "margin" });
  expect(changesOf(POLICY, { strategy: "variation_ratio" })).toEqual({});
});

test("an emptied bound is taken away, an emptied age is never reached", () => {
  expect(changesOf(POLICY, { labels_per_day: "", expire_after_seconds: " " })).toEqual({
    labels_per_day: null,
    expire_after_seconds: 0,
  });
  expect(changesOf(POLICY, { labels_per_hour: "30" })).toEqual({ labels_per_hour: 30 });
});

test("how several answers count is sent only where several people are asked", () => {
  const several = { overlap_share: "50", consensus: "weighted" };
  expect(changesOf(POLICY, several)).toEqual({});
  expect(changesOf(POLICY, { ...several, overlap: "3" })).toEqual({
    overlap: 3,
    overlap_share: 0.5,
    consensus: "weighted",
  });
  expect(changesOf({ ...POLICY, overlap: 3 }, { ...several, overlap: "1" })).toEqual({
    overlap: 1,
  });
});

test("a refusal stands by its field, and anything else is told apart", () => {
  const hour = { pointer: "/query/labels_per_hour", detail: "input should be greater than 0" };
  expect(refusalsOf([hour])).toEqual({
    byField: { labels_per_hour: "input should be greater than 0" },
    rest: false,
  });
  const others = [
    { pointer: "/guidelines", detail: "too long" },
    { pointer: "/query/nothing", detail: "unknown" },
  ];
  expect(refusalsOf([hour, ...others]).rest).toBe(true);
  expect(refusalsOf(others).byField).toEqual({});
});

test("the defaults lie within what the fields admit", () => {
  for (const { name, scale, min, max } of NUMBERS) {
    const value = POLICY[name];
    if (typeof value !== "number") continue;
    expect(value * scale).toBeGreaterThanOrEqual(min);
    expect(value * scale).toBeLessThanOrEqual(max);
  }
});
