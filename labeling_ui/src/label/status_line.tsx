import { plural } from "../format/numbers";
import type { LabelSession } from "./session";

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
  if (pending.length > 1) return <span>{pending.length} on their way</span>;
  return <span>{savedWords(session.answered, session.uncounted)}</span>;
}

export function savedWords(answered: number, uncounted: number): string {
  const saved = answered > 0 ? "All saved" : "";
  if (uncounted === 0) return saved;
  return `${plural(uncounted, "answer")} not counted${saved && ", all others saved"}`;
}
