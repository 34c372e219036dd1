import type { QueryPolicy } from "../api/types";

export type FieldName = keyof QueryPolicy;

export interface Choice {
  value: string;
  words: string;
  hint: string;
}

/** What a number is called on the page, and in which unit it is shown there. */
export interface NumberField {
  name: FieldName;
  words: string;
  hint?: string;
  /** How many of the unit shown make one of the service's. */
  scale: number;
  min: number;
  max: number;
  whole?: boolean;
  /** What an empty field stands for, and the word for it; without one a number is needed. */
  empty?: { value: number | null; words: string };
  /** Left out, and never sent, while one person is asked of each sample. */
  ofSeveral?: boolean;
}

const PERCENT = { scale: 100, min: 0, max: 100 };
const PER_TIME = { scale: 1, min: 0, max: 1e9, empty: { value: null, words: "no bound" } };
const COUNT = { scale: 1, min: 1, max: 1e9, whole: true };

/** As the learner names them: `learner/asking/strategies.py`. */
export const STRATEGIES: readonly Choice[] = [
  {
    value: "variation_ratio",
    words: "Variation ratio",
    hint: "Prefers samples on which the model's votes disagree most.",
  },
  {
    value: "predictive_entropy",
    words: "Predictive entropy",
    hint: "Prefers samples whose probability is spread over many classes.",
  },
  {
    value: "mutual_information",
    words: "Mutual information",
    hint: "Prefers what the model does not know yet over what is merely noisy.",
  },
  {
    value: "margin",
    words: "Margin",
    hint: "Prefers samples whose two most probable classes are nearly level.",
  },
  {
    value: "least_confidence",
    words: "Least confidence",
    hint: "Prefers samples whose most probable class is hardly probable.",
  },
  {
    value: "novelty",
    words: "Novelty",
    hint: "Prefers samples unlike those that the memory has learned.",
  },
  {
    value: "aleatoric",
    words: "Aleatoric uncertainty",
    hint: "Prefers samples that look noisy. Answers teach little: a control for the others.",
  },
  { value: "random", words: "Random", hint: "Prefers nothing: the budget is spent blindly." },
];

export const CONSENSUS: readonly Choice[] = [
  { value: "majority", words: "Majority", hint: "The label is what most people said." },
  {
    value: "weighted",
    words: "Weighted",
    hint: "Each answer counts by how reliable its annotator is.",
  },
];

/** What is changed most. */
export const MAIN: readonly NumberField[] = [
  { name: "budget", words: "Query budget, % of samples", ...PERCENT },
  {
    name: "exploration",
    words: "Exploration, % of the budget",
    hint: "Asked at random. The accuracy rests on these answers.",
    ...PERCENT,
  },
  { name: "labels_per_hour", words: "Labels per hour, at most", ...PER_TIME },
  { name: "labels_per_day", words: "Labels per day, at most", ...PER_TIME },
];

export const OVERLAP: readonly NumberField[] = [
  {
    name: "overlap",
    words: "Overlap, people per sample",
    hint: "Each of them costs the budget one question.",
    ...COUNT,
    max: 10,
  },
  {
    name: "overlap_share",
    words: "Overlap share, % of samples asked",
    hint: "Of the others one person is asked.",
    ...PERCENT,
    ofSeveral: true,
  },
];

export const GOLD: readonly NumberField[] = [
  {
    name: "gold_share",
    words: "Gold, % of each person's questions",
    hint: "Their answers are known and show who is right.",
    ...PERCENT,
    max: 50,
  },
];

export const SAMPLES: readonly NumberField[] = [
  {
    name: "rarity",
    words: "Rarity, %",
    hint: "How much less a sample of a common class counts, and more of one that hardly comes.",
    ...PERCENT,
  },
  {
    name: "duplicate_radius",
    words: "Near-duplicates, % of the code",
    hint: "What is this close to a recent question is asked only at random. 0: off.",
    ...PERCENT,
  },
  {
    name: "warmup_labels",
    words: "Warm-up, labels",
    hint: "Asked freely to begin with, outside the budget.",
    ...COUNT,
    min: 0,
    max: 1e6,
  },
];

export const QUEUE: readonly NumberField[] = [
  {
    name: "withdraw_below",
    words: "Withdraw below, % of the threshold",
    hint: "Questions that have come to teach less than this are taken back. 0: never.",
    ...PERCENT,
  },
  {
    name: "expire_after_seconds",
    words: "Expire after, hours",
    hint: "Questions that nobody answered. Empty: never.",
    scale: 1 / 3600,
    min: 0,
    max: 1e9 / 3600,
    empty: { value: 0, words: "never" },
  },
  {
    name: "max_open",
    words: "Open questions, at most",
    hint: "Less is asked from 45 % of it on.",
    ...COUNT,
  },
];

export const DRIFT: readonly NumberField[] = [
  {
    name: "drift_exploration",
    words: "Exploration, times as much",
    hint: "Within the same budget. 1: no more than usual.",
    scale: 1,
    min: 1,
    max: 1e6,
  },
  { name: "drift_samples", words: "For how many samples", ...COUNT },
];

export const NUMBERS: readonly NumberField[] = [
  ...MAIN,
  ...OVERLAP,
  ...GOLD,
  ...SAMPLES,
  ...QUEUE,
  ...DRIFT,
];
