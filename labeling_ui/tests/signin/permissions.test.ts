import { expect, test } from "vitest";
import { may } from "../../src/signin/permissions";

test("who answers is told to those who may know, and asked for by nobody else", () => {
  const roles = ["admin", "operator", "viewer", "producer", "annotator"] as const;
  expect(roles.filter((role) => may(role, "review"))).toEqual(["admin", "operator", "viewer"]);
});
