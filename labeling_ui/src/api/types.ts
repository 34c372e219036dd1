/** The shapes that travel between the pages and the service. */

export type Role = "admin" | "operator" | "producer" | "annotator" | "viewer";
export interface Person {
  name: string;
  role: Role;
}

export type InputKind =
  | { kind: "vector"; dim: number }
  | { kind: "image"; width: number; height: number; channels: number }
  | { kind: "text" }
  | { kind: "tabular"; fields: Record<string, string> };

export interface QueryPolicy {
  strategy: string;
  budget: number;
  exploration: number;
  warmup_labels: number;
  labels_per_hour: number | null;
  labels_per_day: number | null;
  max_open: number;
  rarity: number;
  duplicate_radius: number;
  withdraw_below: number;
  expire_after_seconds: number;
  overlap: number;
  overlap_share: number;
  consensus: "majority" | "weighted";
  gold_share: number;
  drift_exploration: number;
  drift_samples: number;
}

export interface Stream {
  name: string;
  input: InputKind;
  classes: string[];
  open_classes: boolean;
  guidelines: string;
  colours: Record<string, string>;
  query: QueryPolicy;
  learner: Record<string, unknown>;
  created_at: string;
}

export interface StreamChange {
  guidelines?: string;
  colours?: Record<string, string>;
  add_classes?: string[];
  query?: Partial<QueryPolicy>;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface Prediction {
  label: string;
  confidence: number;
  probabilities: Record<string, number>;
}

export interface Uncertainty {
  predictive_entropy: number;
  aleatoric: number;
  epistemic: number;
  variation_ratio: number;
  novelty: number;
}

export interface Display {
  png?: string;
  text?: string;
  title?: string;
  shape?: number[];
}

export type Reason = "uncertain" | "novel" | "exploration";
export type SkipReason = "unclear" | "not_for_me" | "none_of_these";
export interface Lease {
  token: string;
  expires_at: string;
}

export interface Query {
  id: string;
  sample_id: string;
  data: unknown;
  display: Display | null;
  prediction: Prediction | null;
  uncertainty: Uncertainty | null;
  reason: Reason;
  lease: Lease;
}

/** Without a label where others are asked of the sample too. */
export interface Answered {
  label_id: string | null;
  seq: number | null;
}

export interface Retracted {
  label_id: string | null;
  seq: number | null;
  retracted: boolean;
  query: { id: string; lease: Lease } | null;
}
