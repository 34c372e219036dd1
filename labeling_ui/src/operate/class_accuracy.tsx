import type { ClassAccuracy, Share } from "../api/monitoring_types";
import { accuracyFigure, isRough } from "../format/accuracy";
import { interval, MISSING, whole } from "../format/numbers";

/** How much of each class is found, and how much of what is called so is so. */
export function ClassAccuracies({ classes }: { classes: Record<string, ClassAccuracy> }) {
  const found = Object.entries(classes).sort(([, one], [, other]) => recall(one) - recall(other));
  return (
    <section class="card">
      <header class="card-head">
        <h2>Accuracy per class</h2>
        <p class="fine">Least found first; 95 % intervals</p>
      </header>
      {found.length === 0 ? (
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
              {found.map(([name, one]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <ShareCell share={one.recall} />
                  <ShareCell share={one.precision} />
                  <td>{whole(one.labels)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** Classes without an estimate come last. */
function recall(one: ClassAccuracy): number {
  return one.recall?.estimate ?? 2;
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
