import { expect, test } from "vitest";
import { hrefOf, parseRoute } from "../src/router";

test("addresses lead to pages and back", () => {
  expect(parseRoute("")).toEqual({ page: "streams" });
  expect(parseRoute(hrefOf("label", "my stream/1"))).toEqual({
    page: "label",
    stream: "my stream/1",
  });
  expect(parseRoute("#/operate/digits")).toEqual({ page: "operate", stream: "digits" });
  expect(parseRoute("#/signin?token=ab%2Bc")).toEqual({
    page: "signin",
    token: "ab+c",
    next: "#/",
  });
  expect(parseRoute("#/signin?token=a&next=/label/digits")).toMatchObject({
    next: "#/label/digits",
  });
  expect(parseRoute("#/signin?token=a&next=https://elsewhere.example")).toMatchObject({
    next: "#/",
  });
  expect(parseRoute("#/nowhere/at/all")).toEqual({ page: "streams" });
});
