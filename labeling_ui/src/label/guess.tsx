import type { Query, Uncertainty } from "../api/types";
import { percent, short } from "../format/numbers";

interface GuessParts {
  query: Query;
  colours: ReadonlyMap<string, string>;
  shown: boolean;
  shortcut: string | null;
  onToggle: () => void;
}

const WHY_HIDDEN =
  "Hidden at first, so that your answer is your own: a guess on screen pulls answers towards it.";
const SHOWN = 3;

/** What the model thinks, quietly, and only when asked for. */
export function Guess({ query, colours, shown, shortcut, onToggle }: GuessParts) {
  return (
    <div class="guess">
      <button
        class="guess-toggle"
        aria-expanded={shown}
        title={shown ? "Hide the model’s guess" : WHY_HIDDEN}
        onClick={onToggle}
      >
        {shortcut && <kbd aria-hidden="true">{shortcut}</kbd>}
        {shown ? "Hide the guess" : "Show the model’s guess"}
      </button>
      {shown && <Bars query={query} colours={colours} />}
      {shown && query.uncertainty && <Doubt of={query.uncertainty} />}
    </div>
  );
}

function Bars({ query, colours }: Pick<GuessParts, "query" | "colours">) {
  if (!query.prediction) return <p class="fine">The model has no guess yet.</p>;
  const top = Object.entries(query.prediction.probabilities)
    .sort(([, one], [, other]) => other - one)
    .slice(0, SHOWN);
  return (
    <ol class="bars" aria-label="The model’s guess">
      {top.map(([name, share]) => (
        <li key={name}>
          <span class="bars-name">{name}</span>
          <span class="bars-track">
            <i
              style={{ width: `${share * 100}%`, background: colours.get(name) ?? "var(--ink-3)" }}
            />
          </span>
          <span class="bars-value">{percent(share, 0)}</span>
        </li>
      ))}
    </ol>
  );
}

function Doubt({ of: doubt }: { of: Uncertainty }) {
  return (
    <p class="fine doubt">
      <span title="Entropy of the prediction">entropy {short(doubt.predictive_entropy)}</span>
      <span title="Doubt that more labels can remove">epistemic {short(doubt.epistemic)}</span>
      <span title="Share of the committee that disagrees">
        disagreement {percent(doubt.variation_ratio, 0)}
      </span>
      <span title="How unlike anything seen before">novelty {short(doubt.novelty)}</span>
    </p>
  );
}
