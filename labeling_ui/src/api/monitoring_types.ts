/** What the service says about how a stream is doing. */

export interface Estimate {
  estimate: number | null;
  low: number | null;
  high: number | null;
  labels: number;
  /** The interval that holds however often one looks. */
  anytime_low: number | null;
  anytime_high: number | null;
  /** The share of the samples that the estimate speaks for. */
  covered: number | null;
}

export interface Share {
  estimate: number;
  low: number;
  high: number;
}

/** How much of a class is found, and how much of what is called so is so. */
export interface ClassAccuracy {
  recall: Share | null;
  precision: Share | null;
  labels: number;
}

/** A sign that the stream has changed. */
export interface Alarm {
  kind: "error" | "novelty" | "class_mix";
  before: number;
  after: number;
  values: number;
  at: string;
}

export interface Layer {
  name: string;
  saturated_share: number;
  mean_entropy_bits: number;
  synapses: number;
}

/** The model on its way to what corrections, retractions and a rollback made of the log. */
export interface Rebuild {
  /** A failed one is tried again. */
  state: "queued" | "running" | "failed";
  /** Log entries applied, of how many; null until it has begun. */
  done: number;
  total: number | null;
  error: string | null;
}

export interface Stats {
  stream: string;
  model_version: number;
  applied_seq: number;
  log_seq: number;
  label_lag: { entries: number; seconds: number };
  samples: number;
  labels: number;
  queries: {
    asked: number;
    open: number;
    leased: number;
    answered: number;
    skipped: number;
    /** The version that ranked the open query that was ranked longest ago; null where none is open. */
    stalest_version: number | null;
    oldest_open_seconds: number | null;
  };
  query_rate: { overall: number; window: number; window_samples: number; budget: number };
  /** Since the warm-up: samples, and queries asked of them less those given back. */
  spending: { seen: number; spent: number; free: number };
  accuracy: Estimate & { window: Estimate | null; classes: Record<string, ClassAccuracy> };
  drift: Alarm[];
  uncertainty: {
    predictive_entropy: number | null;
    epistemic: number | null;
    variation_ratio: number | null;
  } | null;
  health: { layers: Layer[]; mean_update: number | null; classes: Record<string, number> };
  /** Null where the model is as its log says. */
  rebuild: Rebuild | null;
  snapshot: { seq: number; at: string } | null;
}

/** One person who answers; shares are of those answers that could be judged. */
export interface Annotator {
  id: string;
  name: string;
  answers: number;
  skips: number;
  median_duration_ms: number | null;
  agreement: JudgedShare;
  gold: JudgedShare;
  reliability: number;
}

export interface JudgedShare {
  estimate: number | null;
  low: number | null;
  high: number | null;
  answers: number;
}

export interface Annotators {
  items: Annotator[];
  agreement: { percent: number | null; alpha: number | null; samples: number };
}

export type Metric =
  | "accuracy"
  | "query_rate"
  | "predictive_entropy"
  | "variation_ratio"
  | "samples"
  | "labels"
  | "label_lag";

export interface Point {
  at: string;
  value: number | null;
  low?: number | null;
  high?: number | null;
  count?: number;
}

/** So many labels were spent, and this was the accuracy since the point before. */
export interface CostPoint {
  labels: number;
  samples: number;
  value: number;
  low: number;
  high: number;
}

export interface TimeSeries {
  metric: Metric;
  step: number;
  points: Point[];
}

export type EventName =
  "prediction" | "query" | "label" | "update" | "snapshot" | "drift" | "stream";
