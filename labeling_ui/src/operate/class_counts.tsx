import type { Stream } from "../api/types";
import { classColours } from "../colours";
import { whole } from "../format/numbers";

interface CountsParts {
  counts: Record<string, number>;
  stream: Stream | null;
}

/** How many labels of each class were learned. */
export function ClassCounts({ counts, stream }: CountsParts) {
  const names = [...new Set([...(stream?.classes ?? []), ...Object.keys(counts)])];
  const colours = classColours(names, stream?.colours);
  const countOf = new Map(Object.entries(counts));
  const most = Math.max(1, ...countOf.values());
  return (
    <section class="card">
      <header class="card-head">
        <h2>Labels per class</h2>
      </header>
      {names.length === 0 && <p class="quiet">No class is known yet.</p>}
      <ul class="counts">
        {names.map((name) => (
          <li key={name}>
            <span class="counts-name">{name}</span>
            <span class="counts-track">
              <i
                style={{
                  width: `${((countOf.get(name) ?? 0) / most) * 100}%`,
                  background: colours.get(name),
                }}
              />
            </span>
            <span class="counts-value">{whole(countOf.get(name) ?? 0)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
