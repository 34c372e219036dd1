import type { Query } from "../api/types";

/** As much of a text as is heard at once; the rest is read in the sample itself. */
const HEARD = 300;

/** What a screen reader says when a question comes on screen. */
export function announcement({ display, data, sample_id }: Query): string {
  const title = display?.title ?? sample_id;
  const text = display?.text ?? (typeof data === "string" ? data : "");
  const heard = text.length > HEARD ? `${text.slice(0, HEARD)} …` : text;
  return `Question ${title}${heard && `: ${heard}`}`;
}
