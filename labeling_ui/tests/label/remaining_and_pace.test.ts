import { expect, test } from "vitest";
import { Pace } from "../../src/label/pace";
import { Remaining } from "../../src/label/remaining";

test("what is left is unknown until the server is read", () => {
  expect(new Remaining().count(3, false)).toBeNull();
});

test("leasing moves questions from open to held, answering takes them away", () => {
  const remaining = new Remaining();
  remaining.asked();
  remaining.read(10);
  expect(remaining.count(0, false)).toBe(10);
  remaining.leased(3);
  expect(remaining.count(3, false)).toBe(10);
  expect(remaining.count(2, false)).toBe(9);
});

test("what happened while the server was read counts on top of the reading", () => {
  const remaining = new Remaining();
  remaining.asked();
  remaining.opened();
  remaining.read(4);
  expect(remaining.count(0, false)).toBe(5);
});

test("what is open for others is not left for who is offered none of it", () => {
  const remaining = new Remaining();
  remaining.asked();
  remaining.read(10);
  expect(remaining.count(2, true)).toBe(2);
  expect(remaining.count(0, true)).toBeNull();
});

test("the pace is answers per minute, over the last two minutes", () => {
  const pace = new Pace();
  expect(pace.perMinute(0)).toBeNull();
  for (let second = 0; second < 60; second += 2) pace.add(second * 1000);
  expect(pace.perMinute(60_000)).toBe(30);
  expect(pace.perMinute(600_000)).toBeNull();
});
