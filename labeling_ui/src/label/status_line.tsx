import { plural } from "../format/numbers";
import { useLasting } from "./lasting";
import type { LabelSession } from "./session";

/** What is delivered sooner is not worth a flicker. */
const BRIEF_MS = 400;

interface StatusParts {
  session: LabelSession;
  problem: string | null;
}

/** What was just done, and whether everything has arrived. */
export function StatusLine({ session, problem }: StatusParts) {
  const { said } = session;
  return (
    <div class="status-line">
      <span role="status" aria-live="polite" class={said?.warning ? "notice" : undefined}>
        {said?.words ?? ""}
      </span>
      <Delivery session={session} problem={problem} />
    </div>
  );
}

function Delivery({ session, problem }: StatusParts) {
  const { pending, failing } = session.outbox;
  const lasting = useLasting(pending.length > 0, BRIEF_MS) ? pending.length : 0;
  const arrived = session.answered - pending.length;
  if (failing)
    return (
      <span class="status-bad" role="alert">
        {plural(pending.length, "answer")} kept here, trying again: {failing}
      </span>
    );
  if (problem)
    return (
      <span class="status-bad" role="alert">
        Looking for questions: {problem}
      </span>
    );
  return <span>{deliveryWords(lasting, arrived, session.uncounted)}</span>;
}

export function deliveryWords(pending: number, arrived: number, uncounted: number): string {
  if (pending > 0) return `${pending} on ${pending === 1 ? "its" : "their"} way`;
  const saved = arrived > 0 ? "All saved" : "";
  if (uncounted === 0) return saved;
  return `${plural(uncounted, "answer")} not counted${saved && ", all others saved"}`;
}
