import { expect, test } from "vitest";
import type { Rebuild } from "../../src/api/monitoring_types";
import { rebuildWords } from "../../src/operate/rebuild_words";

const words = (change: Partial<Rebuild>) =>
  rebuildWords({ state: "running", done: 0, total: null, error: null, ...change });

test("a running rebuild says how far it is, and which model answers meanwhile", () => {
  const told = words({ done: 1200, total: 5000 });
  expect(told.words).toBe("Rebuilding the model: 1,200 of 5,000 entries");
  expect(told.progress).toEqual({ done: 1200, total: 5000 });
  expect(told.note).toContain("version before");
  expect(told.tone).toBe("calm");
});

test("a rebuild that waits has no bar yet", () => {
  const told = words({ state: "queued" });
  expect(told.words).toContain("waits");
  expect(told.progress).toBeNull();
  expect(told.tone).toBe("calm");
});

test("a failed rebuild says why and that it is tried again, without a bar that stands still", () => {
  const told = words({ state: "failed", done: 1200, total: 5000, error: "no space" });
  expect(told.words).toBe("The rebuild broke off: no space");
  expect(told.note).toContain("tried again");
  expect(told.progress).toBeNull();
  expect(told.tone).toBe("bad");
  expect(words({ state: "failed" }).words).toBe("The rebuild broke off.");
});

test("a bar is never fuller than full, nor drawn of nothing", () => {
  expect(words({ done: 9, total: 8 }).progress).toEqual({ done: 8, total: 8 });
  expect(words({ total: 0 })).toMatchObject({ words: "Rebuilding the model", progress: null });
  expect(words({}).progress).toBeNull();
});
