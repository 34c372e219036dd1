import { expect, test } from "vitest";
import { coverage, interval, percent, plural, short, whole } from "../../src/format/numbers";
import { duration } from "../../src/format/time";

test("shares are percent, missing ones a dash", () => {
  expect([percent(0.9123), percent(null), interval(0.881, 0.94)]).toEqual([
    "91.2 %",
    "–",
    "88.1–94.0 %",
  ]);
});

test("an interval whose ends read the same is one figure", () => {
  expect([interval(0.8191, 0.8193), interval(0.8191, 0.8231, 0), interval(null, 1)]).toEqual([
    "81.9 %",
    "82 %",
    "–",
  ]);
});

test("a figure that does not speak for every sample says for how many", () => {
  expect([coverage(0.4), coverage(1), coverage(null)]).toEqual([
    ", for 40.0 % of the samples",
    "",
    "",
  ]);
});

test("numbers keep three telling digits", () => {
  expect([short(1.23456), short(0), short(0.00001234), short(54321)]).toEqual([
    "1.23",
    "0",
    "1.2e-5",
    "54300",
  ]);
});

test("counts are grouped and agree with their noun", () => {
  expect([whole(28410), plural(1, "label"), plural(2, "query", "queries")]).toEqual([
    "28,410",
    "1 label",
    "2 queries",
  ]);
});

test("a stretch of time is told in its unit", () => {
  expect([0, 0.2, 8, 720, 10800, 432000, null].map(duration)).toEqual([
    "0 s",
    "under 1 s",
    "8 s",
    "12 min",
    "3 h",
    "5 d",
    "–",
  ]);
});
