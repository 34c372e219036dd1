import type { Alarm } from "../api/monitoring_types";
import { percent, short } from "../format/numbers";

const WORDS: Record<Alarm["kind"], { what: string; words: (value: number) => string }> = {
  error: { what: "Errors beyond what its confidence expects", words: (value) => percent(value) },
  novelty: { what: "Novelty of the samples", words: (value) => `${short(value)} deviations` },
  class_mix: { what: "Share of a group of predicted classes", words: (value) => percent(value) },
};

/** What changed in the stream, newest first. */
export function DriftAlarms({ alarms }: { alarms: readonly Alarm[] }) {
  return (
    <section class="card" data-testid="drift-alarms">
      <header class="card-head">
        <h2>Drift alarms</h2>
        <p class="fine">Dashed lines in the plots</p>
      </header>
      {alarms.length === 0 ? (
        <p class="quiet">None: errors, novelty and the mix of classes are as they were.</p>
      ) : (
        <ul class="alarms">
          {alarms.toReversed().map((alarm) => (
            <li key={`${alarm.kind}${alarm.at}`}>
              <time dateTime={alarm.at}>{new Date(alarm.at).toLocaleString()}</time>{" "}
              {alarmWords(alarm)}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

export function alarmWords({ kind, before, after }: Alarm): string {
  const { what, words } = WORDS[kind];
  return `${what}: ${words(before)} before, ${words(after)} since.`;
}
