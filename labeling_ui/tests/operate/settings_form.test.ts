import { expect, test } from "vitest";
import type { Stream } from "../../src/api/types";
import { guidelinesCollide, NO_EDITS, settingsChange } from "../../src/operate/settings_form";

const stream = {
  guidelines: "as somebody else wrote them",
  colours: { cat: "#111111", dog: "#222222" },
  query: { budget: 0.05 },
} as unknown as Stream;

test("what was not edited is not sent, whatever has changed since the page was opened", () => {
  expect(settingsChange(stream, NO_EDITS)).toEqual({});
  expect(settingsChange(stream, { ...NO_EDITS, newClass: " owl " })).toEqual({
    add_classes: ["owl"],
  });
});

test("what was edited to what the service has by now is not sent", () => {
  const guidelines = { text: stream.guidelines, before: "old" };
  expect(settingsChange(stream, { ...NO_EDITS, guidelines })).toEqual({});
});

test("one colour leaves the others as they are now", () => {
  expect(settingsChange(stream, { ...NO_EDITS, colours: { cat: "#999999" } })).toEqual({
    colours: { cat: "#999999", dog: "#222222" },
  });
});

test("guidelines that two people write at once are told to the second", () => {
  const edited = (before: string) => ({ ...NO_EDITS, guidelines: { text: "mine", before } });
  expect(guidelinesCollide(stream, edited("old"))).toBe(true);
  expect(guidelinesCollide(stream, edited(stream.guidelines))).toBe(false);
  expect(guidelinesCollide(stream, NO_EDITS)).toBe(false);
});
