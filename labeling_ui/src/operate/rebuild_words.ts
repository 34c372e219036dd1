import type { Rebuild } from "../api/monitoring_types";
import { whole } from "../format/numbers";
import type { Tone } from "./verdict";

export interface RebuildWords {
  tone: Tone;
  words: string;
  /** What that means for who uses the model. */
  note: string;
  progress: { done: number; total: number } | null;
}

const MEANWHILE = "Until it is done, predictions come from the version before.";

/** What the worker does to make the model what its corrected log says. */
export function rebuildWords({ state, done, total, error }: Rebuild): RebuildWords {
  const progress = total !== null && total > 0 ? { done: Math.min(done, total), total } : null;
  if (state === "queued")
    return {
      tone: "calm",
      words: "A rebuild of the model waits for the worker.",
      note: MEANWHILE,
      progress: null,
    };
  if (state === "failed")
    return {
      tone: "bad",
      words: `The rebuild broke off${error ? `: ${error}` : "."}`,
      note: `It is tried again. ${MEANWHILE}`,
      progress: null,
    };
  const far = progress ? `: ${whole(progress.done)} of ${whole(progress.total)} entries` : "";
  return { tone: "calm", words: `Rebuilding the model${far}`, note: MEANWHILE, progress };
}
