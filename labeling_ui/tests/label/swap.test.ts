import { expect, test } from "vitest";
import { Swap } from "../../src/label/swap";

test("presses count until a question is swapped, and again once hands have rested", () => {
  const swap = new Swap();
  expect(swap.catches(0)).toBe(false);
  swap.happened(1_000, true);
  expect(swap.catches(1_399)).toBe(true);
  expect(swap.catches(1_799)).toBe(false);
});

test("who goes on typing is caught until the typing stops", () => {
  const swap = new Swap();
  swap.happened(0, true);
  for (let at = 100; at < 2_000; at += 100) expect(swap.catches(at)).toBe(true);
  expect(swap.catches(2_400)).toBe(false);
});

test("where nothing took its place, presses are caught from when something does", () => {
  const swap = new Swap();
  swap.happened(0, false);
  expect(swap.catches(5_000)).toBe(true);
  swap.appeared(6_000);
  expect(swap.catches(6_100)).toBe(true);
  expect(swap.catches(6_600)).toBe(false);
});

test("a question that is asked back may be answered at once", () => {
  const swap = new Swap();
  swap.happened(0, true);
  swap.over();
  expect(swap.catches(1)).toBe(false);
});
