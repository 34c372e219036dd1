import type { Role } from "../api/types";
import { plural } from "../format/numbers";
import { whyNot } from "../signin/permissions";

interface EmptyParts {
  dry: boolean;
  answered: number;
  problem: string | null;
}

/** Nothing to ask: calm, and it goes on by itself. */
export function EmptyState({ dry, answered, problem }: EmptyParts) {
  if (!dry)
    return (
      <div class="stage blank" aria-busy={!problem}>
        {problem && <p class="quiet">{problem}</p>}
      </div>
    );
  return (
    <div class="stage blank" data-testid="empty-state">
      <Rest />
      <h2>{answered > 0 ? "All caught up" : "Nothing to ask right now"}</h2>
      <p class="quiet">
        {answered > 0 ? `You answered ${plural(answered, "question")}. ` : ""}
        The model asks only when an answer will teach it something. The next question appears here
        by itself.
      </p>
    </div>
  );
}

export function Paused({ onContinue }: { onContinue: () => void }) {
  return (
    <div class="stage blank">
      <h2>Paused</h2>
      <p class="quiet">You were away, so your questions went back for others to answer.</p>
      <button class="button primary" onClick={onContinue}>
        Continue, or press any key
      </button>
    </div>
  );
}

export function LookOnly({ role, left }: { role: Role; left: number | null }) {
  return (
    <div class="stage blank">
      <h2>{left === null ? "Labeling" : plural(left, "open question")}</h2>
      <p class="quiet">{whyNot(role, "answer")}</p>
    </div>
  );
}

/** A trace at rest. */
function Rest() {
  return (
    <svg class="rest" viewBox="0 0 120 40" aria-hidden="true">
      {Array.from({ length: 9 }, (_, index) => (
        <circle cx={12 + index * 12} cy="20" r="3" style={{ animationDelay: `${index * 160}ms` }} />
      ))}
    </svg>
  );
}
