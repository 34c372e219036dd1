import { expect, test } from "vitest";
import { savedWords } from "../../src/label/status_line";

test("all is saved only where every answer counted", () => {
  expect(savedWords(0, 0)).toBe("");
  expect(savedWords(3, 0)).toBe("All saved");
  expect(savedWords(0, 1)).toBe("1 answer not counted");
  expect(savedWords(4, 3)).toBe("3 answers not counted, all others saved");
});
