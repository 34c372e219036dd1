import { expect, test } from "vitest";
import { matching } from "../../src/label/class_filter";
import { pictureFromNested, pictureFromVector } from "../../src/label/pixels";
import { sparkShape } from "../../src/label/spark_shape";

test("nested lists become grey or coloured pixels", () => {
  const grey = pictureFromNested([[0, 255]])!;
  expect([...grey.rgba]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
  const coloured = pictureFromNested([[[1, 2, 3]]])!;
  expect([...coloured.rgba]).toEqual([1, 2, 3, 255]);
});

test("a vector of any range is stretched over the greys", () => {
  const picture = pictureFromVector([0, 16, 8, 0], [2, 2])!;
  expect(picture.rgba[4]).toBe(255);
  expect(picture.rgba[8]).toBe(128);
});

test("a shape that does not fit the vector makes no picture", () => {
  expect(pictureFromVector([1, 2, 3], [2, 2])).toBeNull();
});

test("typing finds classes by their beginning first", () => {
  expect(matching(["dog", "owl", "goat"], "o")).toEqual(["owl", "dog", "goat"]);
});

test("a sparkline counts and ends with what has a value", () => {
  const at = (minute: number) => new Date(minute * 60_000).toISOString();
  const shape = sparkShape([
    { at: at(0), value: 0.5, low: 0.4, high: 0.6 },
    { at: at(1), value: null },
    { at: at(2), value: 0.8, low: 0.75, high: 0.9 },
  ])!;
  expect(shape).toMatchObject({ count: 2, last: { value: 0.8 }, bottom: 0.4 });
  expect(shape.end?.x).toBe(100);
  expect(sparkShape([{ at: at(0), value: null }])).toBeNull();
});

test("a sparkline draws no line where answers are too few for a figure", () => {
  const at = (minute: number) => new Date(minute * 60_000).toISOString();
  const certain = [
    { at: at(0), value: 0.5, low: 0.5, high: 0.5 },
    { at: at(1), value: 0.6, low: 0.6, high: 0.6 },
  ];
  const rough = { at: at(2), value: 0.1, low: 0.1, high: 0.9 };
  const shape = sparkShape([...certain, rough])!;
  expect(shape.line.split("L")).toHaveLength(2);
  expect(shape.band.split("L")).toHaveLength(6);
  expect(shape).toMatchObject({ count: 3, end: null });
  expect(sparkShape([rough])).toMatchObject({ line: "", end: null });
});
