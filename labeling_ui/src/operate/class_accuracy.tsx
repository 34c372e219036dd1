import type { ClassAccuracy, Share } from "../api/monitoring_types";
import { accuracyFigure, isRough } from "../format/accuracy";
import { interval, MISSING, whole } from "../format/numbers";

/** How much of each class is found, and how much of what is called so is so. */
export function ClassAccuracies({ classes }: { classes: Record<string, ClassAccuracy> }) {
  const names = Object.keys(classes).sort((one, other) => recallOf(one) - recallOf(other));
  function recallOf(name: string): number {
    return classes[name]?.recall?.estimate ?? 2;
  }
  return (
    <section class="card">
      <header class="card-head">
        <h2>Accuracy per class</h2>
        <p class="fine">Least found first; 95 % intervals</p>
      </header>
      {names.length === 0 ? (
        <p class="quiet">Classes appear with the first labels.</p>
      ) : (
        <div class="table-scroll">
          <table class="health" data-testid="class-accuracy">
            <thead>
              <tr>
                <th scope="col">Class</th>
                <th scope="col">Found (recall)</th>
                <th scope="col">Right when said (precision)</th>
                <th scope="col">Labels</th>
              </tr>
            </thead>
            <tbody>
              {names.map((name) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <ShareCell share={classes[name]!.recall} />
                  <ShareCell share={classes[name]!.precision} />
                  <td>{whole(classes[name]!.labels)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function ShareCell({ share }: { share: Share | null }) {
  if (!share) return <td>{MISSING}</td>;
  return (
    <td>
      {accuracyFigure(share)}{" "}
      {!isRough(share) && <span class="fine">{interval(share.low, share.high, 0)}</span>}
    </td>
  );
}
