import { expect, test } from "vitest";
import { actionFor, type Press } from "../../src/label/keyboard";
import { assignKeys, keyOfCommand } from "../../src/label/keys";

function press(key: string, more: Partial<Press> = {}): Press {
  const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  return { key, code: "", ...none, repeat: false, isComposing: false, ...more };
}

test("a class named by one character answers to that character", () => {
  const { keyOf } = assignKeys(["9", "0", "ten"]);
  expect([...keyOf]).toEqual([
    ["9", "9"],
    ["0", "0"],
    ["ten", "1"],
  ]);
});

test("other classes take digits first, then letters that no command needs", () => {
  const names = Array.from({ length: 12 }, (_, index) => `class ${index}`);
  const { keyOf } = assignKeys(names);
  expect([...keyOf.values()].join("")).toBe("1234567890ab");
});

test("classes beyond the last key have none", () => {
  const names = Array.from({ length: 60 }, (_, index) => `class ${index}`);
  const { keyOf } = assignKeys(names);
  expect(keyOf.size).toBeLessThan(60);
  expect(new Set(keyOf.values()).size).toBe(keyOf.size);
});

test("a class takes its key from a command, which keeps its other keys", () => {
  const keys = assignKeys(["s", "u"]);
  expect(actionFor(press("s"), keys)).toEqual({ kind: "answer", label: "s" });
  expect(keyOfCommand(keys, "skip")).toBe("-");
  expect(keyOfCommand(keys, "undo")).toBe("Backspace");
});

test("caps lock does not change the answer, unless both cases are classes", () => {
  expect(actionFor(press("A"), assignKeys(["a"]))).toEqual({ kind: "answer", label: "a" });
  const both = assignKeys(["a", "A"]);
  expect(actionFor(press("A"), both)).toEqual({ kind: "answer", label: "A" });
});

test("Shift and s skips as unclear, s alone asks for the reason", () => {
  const keys = assignKeys(["cat"]);
  expect(actionFor(press("S", { shiftKey: true }), keys)).toMatchObject({ command: "unclear" });
  expect(actionFor(press("s"), keys)).toMatchObject({ command: "skip" });
});

test("Ctrl+Z undoes, other chords belong to the browser", () => {
  const keys = assignKeys(["r"]);
  expect(actionFor(press("z", { ctrlKey: true }), keys)).toMatchObject({ command: "undo" });
  expect(actionFor(press("r", { ctrlKey: true }), keys)).toBeNull();
  expect(actionFor(press("r", { altKey: true }), keys)).toBeNull();
});

test("a held-down key answers once", () => {
  expect(actionFor(press("1", { repeat: true }), assignKeys(["1"]))).toBeNull();
});

test("a keyboard without Latin letters answers by the key's place", () => {
  const keys = assignKeys(["cat"]);
  expect(actionFor(press("ы", { code: "KeyS" }), keys)).toMatchObject({ command: "skip" });
  expect(actionFor(press("&", { code: "Digit1" }), keys)).toEqual({ kind: "answer", label: "cat" });
});

test("a character that not every keyboard types has a spare key, and answers to itself too", () => {
  const keys = assignKeys(["正", "负", "🙂", "é", "1"]);
  expect([...keys.keyOf]).toEqual([
    ["1", "1"],
    ["正", "2"],
    ["负", "3"],
    ["🙂", "4"],
    ["é", "5"],
  ]);
  expect(actionFor(press("3"), keys)).toEqual({ kind: "answer", label: "负" });
  expect(actionFor(press("é"), keys)).toEqual({ kind: "answer", label: "é" });
});

test("keys in use stay as they are, whatever a new class is called", () => {
  const before = assignKeys(["Positive", "Negative", "Mixed"]);
  const keys = assignKeys(["Positive", "Negative", "Mixed", "1", "n", "4"], before);
  expect([...keys.keyOf]).toEqual([
    ["Positive", "1"],
    ["Negative", "2"],
    ["Mixed", "3"],
    ["4", "4"],
    ["1", "5"],
    ["n", "6"],
  ]);
  expect(actionFor(press("n"), keys)).toMatchObject({ command: "newClass" });
});

test("a new class in the other case leaves the key of the first", () => {
  const keys = assignKeys(["a", "A"], assignKeys(["a"]));
  expect(actionFor(press("A"), keys)).toEqual({ kind: "answer", label: "a" });
  expect(keys.keyOf.get("A")).toBe("1");
});
