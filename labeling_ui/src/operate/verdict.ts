import type { Layer, Stats } from "../api/monitoring_types";
import { percent, plural, whole } from "../format/numbers";
import { duration } from "../format/time";
import { spendingOf } from "./spending";

export type Tone = "good" | "watch" | "bad" | "calm";
export interface LayerVerdict {
  tone: Tone;
  words: string;
}

const FROZEN = 0.95;
const STIFF = 0.8;
const SETTLING = 0.4;
const LATE_SECONDS = 60;

/** How much a layer can still change, from the share of its synapses that are saturated. */
export function layerVerdict(layer: Layer): LayerVerdict {
  if (layer.saturated_share >= FROZEN)
    return { tone: "bad", words: "Frozen: hardly learns any more" };
  if (layer.saturated_share >= STIFF) return { tone: "watch", words: "Stiff: learns slowly" };
  if (layer.saturated_share >= SETTLING) return { tone: "good", words: "Settled, still plastic" };
  return { tone: "good", words: "Plastic: free to learn" };
}

/** Is it still learning, and what does that cost? */
export function learningVerdict(stats: Stats): { tone: Tone; words: string; cost: string } {
  return { ...learning(stats), cost: costWords(stats) };
}

function learning(stats: Stats): LayerVerdict {
  const stuck = stats.health.layers.filter((layer) => layerVerdict(layer).tone === "bad");
  const { label_lag: lag } = stats;
  if (stats.samples === 0) return { tone: "calm", words: "Waiting for its first sample." };
  if (stats.labels === 0) return { tone: "calm", words: "Waiting for its first label." };
  if (lag.entries > 0 && lag.seconds > LATE_SECONDS) {
    // What was revised counts as not learned until its rebuild is done: late, but on its way.
    if (stats.rebuild?.state === "running")
      return { tone: "watch", words: "Rebuilding the model; new labels wait for it." };
    return {
      tone: "bad",
      words: `Behind: ${plural(lag.entries, "label")} waiting ${duration(lag.seconds)} to be learned.`,
    };
  }
  if (stuck.length > 0)
    return {
      tone: "watch",
      words: `Losing plasticity in ${stuck.map(({ name }) => name).join(", ")}.`,
    };
  return { tone: "good", words: "Learning." };
}

function costWords(stats: Stats): string {
  const { query_rate: rate, queries, samples, labels } = stats;
  if (samples === 0) return "";
  const perThousand = whole(queries.asked > 0 ? (queries.asked / samples) * 1000 : 0);
  return `Asks ${perThousand} questions per 1,000 samples, now ${percent(rate.window)}; ${spendingOf(stats).words}; ${plural(labels, "label")} so far.`;
}
