import type { Stats } from "../api/monitoring_types";
import type { Role, Stream } from "../api/types";
import { classColours } from "../colours";
import { accuracyFigure, isRough } from "../format/accuracy";
import { coverage, interval, whole } from "../format/numbers";
import { hrefOf } from "../router";
import { may, whyNot } from "../signin/permissions";
import { inputWords } from "./input_words";

const SHOWN_CLASSES = 12;

interface CardParts {
  stream: Stream;
  stats: Stats | undefined;
  role: Role;
}

export function StreamCard({ stream, stats, role }: CardParts) {
  const accuracy = stats?.accuracy;
  return (
    <li class="card stream-card" data-testid={`stream-card-${stream.name}`}>
      <header>
        <h2>{stream.name}</h2>
        <p class="fine">{inputWords(stream.input)}</p>
      </header>
      <ClassChips stream={stream} />
      <dl class="figures">
        <div>
          <dt>Open questions</dt>
          <dd>{whole(stats?.queries.open)}</dd>
        </div>
        <div>
          <dt>Accuracy</dt>
          <dd>
            {accuracyFigure(accuracy)}
            {accuracy?.low != null && (
              <small>
                {isRough(accuracy) ? "few answers yet" : interval(accuracy.low, accuracy.high, 0)}
                {coverage(accuracy.covered)}
              </small>
            )}
          </dd>
        </div>
      </dl>
      <footer>
        {may(role, "answer") ? (
          <a class="button primary" href={hrefOf("label", stream.name)}>
            Label
          </a>
        ) : (
          <a class="button" href={hrefOf("label", stream.name)} title={whyNot(role, "answer")}>
            Look at labeling
          </a>
        )}
        <a class="button" href={hrefOf("operate", stream.name)}>
          Operate
        </a>
      </footer>
    </li>
  );
}

function ClassChips({ stream }: { stream: Stream }) {
  const colours = classColours(stream.classes, stream.colours);
  const rest = stream.classes.length - SHOWN_CLASSES;
  if (stream.classes.length === 0)
    return <p class="fine chips-none">No classes yet; the first answers name them.</p>;
  return (
    <ul class="chips" aria-label="Classes">
      {stream.classes.slice(0, SHOWN_CLASSES).map((name) => (
        <li key={name} class="chip">
          <i style={{ background: colours.get(name) }} />
          {name}
        </li>
      ))}
      {rest > 0 && <li class="chip more">{rest} more</li>}
    </ul>
  );
}
