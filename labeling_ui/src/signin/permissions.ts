import type { Role } from "../api/types";

export type Deed = "answer" | "change";

const ALLOWED: Record<Deed, readonly Role[]> = {
  answer: ["admin", "annotator"],
  change: ["admin", "operator"],
};

export function may(role: Role, deed: Deed): boolean {
  return ALLOWED[deed].includes(role);
}

/** Why something is not offered, in a sentence. */
export function whyNot(role: Role, deed: Deed): string {
  const who = `You are signed in as ${role}.`;
  return deed === "answer"
    ? `${who} Only annotators and admins answer questions.`
    : `${who} Only operators and admins change a stream.`;
}
