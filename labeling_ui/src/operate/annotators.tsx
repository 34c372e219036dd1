import { useEffect, useState } from "preact/hooks";
import type { Engram } from "../api/engram";
import type { Annotator, Annotators, JudgedShare } from "../api/monitoring_types";
import { MISSING, interval, percent, plural, short, whole } from "../format/numbers";

interface AnnotatorsParts {
  api: Engram;
  name: string;
  /** Asked again whenever this many labels have come. */
  labels: number;
}

/** Who answers, how fast, and how often rightly; only operators and viewers may know. */
export function AnnotatorTable({ api, name, labels }: AnnotatorsParts) {
  const [found, setFound] = useState<Annotators | null>(null);
  useEffect(() => {
    let current = true;
    api.annotators(name).then(
      (told) => current && setFound(told),
      () => current && setFound(null),
    );
    return () => {
      current = false;
    };
  }, [api, name, labels]);
  if (!found || found.items.length === 0) return null;
  const { agreement, items } = found;
  return (
    <section class="card annotators">
      <header class="card-head">
        <h2>Annotators</h2>
        {agreement.samples > 0 && (
          <p class="fine">
            {percent(agreement.percent)} of pairs agree, alpha {short(agreement.alpha)}, on{" "}
            {plural(agreement.samples, "sample")}
          </p>
        )}
      </header>
      <div class="table-scroll">
        <table class="health" data-testid="annotator-table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Answers</th>
              <th scope="col" title="For good, or left to others as not for this person">
                Skips
              </th>
              <th scope="col">Median time</th>
              <th scope="col">Agrees</th>
              <th scope="col">Gold right</th>
              <th scope="col">Reliability</th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <AnnotatorRow key={one.id} one={one} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function AnnotatorRow({ one }: { one: Annotator }) {
  const time = one.median_duration_ms;
  return (
    <tr>
      <th scope="row">{one.name}</th>
      <td>{whole(one.answers)}</td>
      <td>{whole(one.skips)}</td>
      <td>{time === null ? MISSING : `${short(time / 1000)} s`}</td>
      <td title={ofHowMany(one.agreement)}>{percent(one.agreement.estimate)}</td>
      <td title={ofHowMany(one.gold)}>{percent(one.gold.estimate)}</td>
      <td>{percent(one.reliability, 0)}</td>
    </tr>
  );
}

function ofHowMany({ answers, low, high }: JudgedShare): string {
  return `${interval(low, high)} of ${plural(answers, "answer")}`;
}
