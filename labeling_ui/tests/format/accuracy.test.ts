import { describe, expect, it } from "vitest";
import { accuracyFigure, intervalWords, isRough } from "../../src/format/accuracy";

describe("accuracy", () => {
  const few = { estimate: 0.257, low: 0.257, high: 0.903 };
  const many = { estimate: 0.921, low: 0.88, high: 0.94 };

  it("is one figure where answers are many, with its interval beside it", () => {
    expect(isRough(many)).toBe(false);
    expect(accuracyFigure(many)).toBe("92.1 %");
    expect(intervalWords(many)).toBe("95 % interval 88.0–94.0 %");
  });

  it("is an interval where they are few: its estimate may lie at the end of it", () => {
    expect(isRough(few)).toBe(true);
    expect(accuracyFigure(few)).toBe("26–90 %");
    expect(intervalWords(few)).toContain("too few answers");
  });

  it("is exact where every label is known", () => {
    expect(intervalWords({ estimate: 0.819, low: 0.819, high: 0.819 })).toContain("exact");
  });

  it("is missing before the first answer", () => {
    expect(accuracyFigure(undefined)).toBe("–");
    expect(accuracyFigure({ estimate: null, low: null, high: null })).toBe("–");
  });
});
