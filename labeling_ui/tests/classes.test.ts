import { expect, test } from "vitest";
import { className } from "../src/class_name";
import { classColours } from "../src/colours";

test("a class called as what every object has gets a colour like any other", () => {
  const colours = classColours(["constructor", "__proto__", "cat"], { cat: "#123456" });
  expect(colours.get("constructor")).toMatch(/^#/);
  expect(colours.get("__proto__")).toMatch(/^#/);
  expect(colours.get("cat")).toBe("#123456");
});

test("tabs and line breaks in a class's name are spaces", () => {
  expect(className(" transfer\tfailed\r\n")).toBe("transfer failed");
  expect(className("\t")).toBe("");
});
