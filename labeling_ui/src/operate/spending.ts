import type { Stats } from "../api/monitoring_types";
import { percent, whole } from "../format/numbers";

/** Queries that may be asked ahead of the budget in any run of samples: `learner/asking/budget.py`. */
const AHEAD = 10;

export interface Spending {
  /** Of the samples since the warm-up, the share that was spent: asked, and not given back. Null before the first. */
  share: number | null;
  over: boolean;
  words: string;
}

/** What of the budget is spent. Warm-up queries are free; those withdrawn or expired are given back. */
export function spendingOf({ spending, query_rate: { budget } }: Stats): Spending {
  const { spent, seen } = spending;
  if (seen === 0)
    return {
      share: null,
      over: false,
      words: `nothing spent yet of the ${percent(budget)} budget`,
    };
  const share = spent / seen;
  return {
    share,
    over: spent > budget * seen + AHEAD,
    words: `${percent(share)} spent of the ${percent(budget)} budget, ${whole(spent)} in ${whole(seen)} samples`,
  };
}
