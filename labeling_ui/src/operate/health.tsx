import type { Layer, Stats } from "../api/monitoring_types";
import { percent, short, whole } from "../format/numbers";
import { RebuildProgress } from "./rebuild";
import { layerVerdict } from "./verdict";

interface HealthParts {
  health: Stats["health"];
  rebuild: Stats["rebuild"];
}

export function Health({ health, rebuild }: HealthParts) {
  return (
    <section class="card">
      <header class="card-head">
        <h2>Learning health</h2>
        <p class="fine">Mean update per label {short(health.mean_update)}</p>
      </header>
      <RebuildProgress rebuild={rebuild} />
      {health.layers.length === 0 ? (
        <p class="quiet">Layers appear with the first class.</p>
      ) : (
        <div class="table-scroll">
          <table class="health" data-testid="health-table">
            <thead>
              <tr>
                <th scope="col">Layer</th>
                <th scope="col">Synapses</th>
                <th scope="col">Saturated</th>
                <th scope="col">Mean entropy</th>
                <th scope="col">Verdict</th>
              </tr>
            </thead>
            <tbody>
              {health.layers.map((layer) => (
                <LayerRow key={layer.name} layer={layer} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function LayerRow({ layer }: { layer: Layer }) {
  const { tone, words } = layerVerdict(layer);
  return (
    <tr>
      <th scope="row">{layer.name}</th>
      <td>{whole(layer.synapses)}</td>
      <td>
        {percent(layer.saturated_share)}
        <span class="meter" aria-hidden="true">
          <i class={tone} style={{ width: `${layer.saturated_share * 100}%` }} />
        </span>
      </td>
      <td>{short(layer.mean_entropy_bits)} bits</td>
      <td class={`tone ${tone}`}>{words}</td>
    </tr>
  );
}
