import { expect, test } from "vitest";
import { deliveryWords } from "../../src/label/status_line";

test("all is saved only where every answer counted", () => {
  expect(deliveryWords(0, 0, 0)).toBe("");
  expect(deliveryWords(0, 3, 0)).toBe("All saved");
  expect(deliveryWords(0, 0, 1)).toBe("1 answer not counted");
  expect(deliveryWords(0, 4, 3)).toBe("3 answers not counted, all others saved");
});

test("nothing is called saved while an answer is on its way", () => {
  expect(deliveryWords(1, 5, 0)).toBe("1 on its way");
  expect(deliveryWords(2, 5, 0)).toBe("2 on their way");
});
