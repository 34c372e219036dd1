import { expect, test } from "vitest";
import { announcement } from "../../src/label/announcement";
import { queryNamed } from "./fakes";

test("a question is announced by its title, or else its sample's name, and by its text", () => {
  const query = queryNamed("a");
  expect(announcement(query)).toBe("Question sample of a");
  expect(announcement({ ...query, data: "My card is lost." })).toBe(
    "Question sample of a: My card is lost.",
  );
  const display = { title: "Claim 7", text: "Hail" };
  expect(announcement({ ...query, display })).toBe("Question Claim 7: Hail");
});

test("of a long text the beginning is announced", () => {
  const words = announcement({ ...queryNamed("a"), data: "x".repeat(5_000) });
  expect(words).toMatch(/x …$/);
  expect(words.length).toBeLessThan(400);
});
