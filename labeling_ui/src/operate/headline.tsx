import type { ComponentChildren } from "preact";
import type { Stats } from "../api/monitoring_types";
import { accuracyFigure, intervalWords } from "../format/accuracy";
import { coverage, interval, percent, plural, whole } from "../format/numbers";
import { duration } from "../format/time";
import { type Spending, spendingOf } from "./spending";

const ACCURACY =
  "How often the prediction at arrival was right, over all samples that could have been asked, not only over those " +
  "that were. The 95 % interval is for one look; the wider one holds however often you look.";

export function Headline({ stats }: { stats: Stats }) {
  const { accuracy, query_rate: rate, queries, label_lag: lag } = stats;
  const spending = spendingOf(stats);
  const oldest = queries.oldest_open_seconds;
  return (
    <dl class="headline">
      <Figure name="Accuracy" value={accuracyFigure(accuracy)} help={ACCURACY}>
        {accuracy.estimate === null
          ? "no estimate yet"
          : `${intervalWords(accuracy)}; at every look together ${interval(accuracy.anytime_low, accuracy.anytime_high)}`}
        {coverage(accuracy.covered)}
        {accuracy.window?.estimate != null && <>, lately {accuracyFigure(accuracy.window)}</>}
      </Figure>
      <Figure name="Query rate" value={percent(rate.window)}>
        <Meter spending={spending} budget={rate.budget} />
        {spending.words}; asked overall {percent(rate.overall)}
      </Figure>
      <Figure name="Open queries" value={whole(queries.open)}>
        {oldest === null ? "none waits" : `oldest ${duration(oldest)}`}
        {queries.leased > 0 && `, ${whole(queries.leased)} being answered`}
      </Figure>
      <Figure name="Label lag" value={lag.entries === 0 ? "0" : whole(lag.entries)}>
        {lag.entries === 0 ? "every label is learned" : `waiting ${duration(lag.seconds)}`}
      </Figure>
      <Figure name="Model version" value={whole(stats.model_version)}>
        {stats.snapshot ? `snapshot at ${whole(stats.snapshot.seq)}` : "no snapshot yet"}
      </Figure>
      <Figure name="Samples" value={whole(stats.samples)}>
        {plural(queries.asked, "query", "queries")} asked
      </Figure>
      <Figure name="Labels" value={whole(stats.labels)}>
        {whole(queries.answered)} answered, {whole(queries.skipped)} skipped for good
      </Figure>
    </dl>
  );
}

interface FigureParts {
  name: string;
  value: string;
  help?: string;
  children: ComponentChildren;
}

function Figure({ name, value, help, children }: FigureParts) {
  return (
    <div class="figure" title={help}>
      <dt>{name}</dt>
      <dd class="figure-value">{value}</dd>
      <dd class="figure-note">{children}</dd>
    </div>
  );
}

function Meter({ spending: { share, over }, budget }: { spending: Spending; budget: number }) {
  const filled = budget > 0 ? Math.min((share ?? 0) / budget, 1) : 0;
  return (
    <span class="meter" aria-hidden="true">
      <i class={over ? "over" : undefined} style={{ width: `${filled * 100}%` }} />
    </span>
  );
}
