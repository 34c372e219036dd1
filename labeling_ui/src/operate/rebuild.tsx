import type { Rebuild } from "../api/monitoring_types";
import { rebuildWords } from "./rebuild_words";

/** How far a rebuild is; nothing where the model is as its log says. */
export function RebuildProgress({ rebuild }: { rebuild: Rebuild | null }) {
  if (!rebuild) return null;
  const { tone, words, note, progress } = rebuildWords(rebuild);
  return (
    <div class={`rebuild ${tone}`} data-testid="rebuild">
      <p id="rebuild-words">{words}</p>
      {progress && (
        <progress aria-labelledby="rebuild-words" value={progress.done} max={progress.total} />
      )}
      <p class="fine">{note}</p>
    </div>
  );
}
