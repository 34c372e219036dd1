import type { Role } from "../api/types";

export type Deed = "answer" | "change" | "review";

const ALLOWED: Record<Deed, readonly Role[]> = {
  answer: ["admin", "annotator"],
  change: ["admin", "operator"],
  review: ["admin", "operator", "viewer"],
};

export function may(role: Role, deed: Deed): boolean {
  return ALLOWED[deed].includes(role);
}

/** Why something is not offered, in a sentence. */
export function whyNot(role: Role, deed: Exclude<Deed, "review">): string {
  const who = `You are signed in as ${role}.`;
  return deed === "answer"
    ? `${who} Only annotators and admins answer questions.`
    : `${who} Only operators and admins change a stream.`;
}
