"""What asking may cost: a ledger with a hard bound, and a threshold that keeps spending close to the budget. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

BURST = 3
"""Queries that may be asked ahead of the budget."""

GAIN = 0.3
"""How far the threshold's logarithm moves per sample."""

FLOOR = 0.005
"""The lowest threshold: below it the learner is as good as certain, and nothing is worth asking."""

START = 0.1
"""The threshold before anything is known of the stream's utilities."""


class Budget(NamedTuple):
    """Where a stream's spending stands.

    Attributes:
        seen: samples that came after the warm-up.
        spent: queries asked of them.
        threshold: the current threshold, in units of utility.
    """

    seen: int = 0
    spent: int = 0
    threshold: float = START

    def affords(self, share: float) -> bool:
        """Return whether one more query keeps spent <= share * seen + BURST, counting the sample at hand as seen.

        This is the bound: asked within it alone, `spent` never exceeds share * seen + BURST at any moment, since
        `seen` never falls and `spent` rises only here.

        Example:
            >>> Budget(seen=99, spent=7).affords(0.05), Budget(seen=99, spent=8).affords(0.05)
            (True, False)
        """
        return self.spent + 1 <= share * (self.seen + 1) + BURST

    def after(self, *, wanted: bool, asked: bool, share: float) -> Budget:
        """Return where spending stands after one sample.

        threshold <- clip(threshold exp(GAIN (wanted - share)), FLOOR, 1): it settles where a share of the samples is
        wanted, whatever the distribution and the scale of utilities (Robbins and Monro, 1951, for a quantile). It
        follows what was wanted, not what was asked, so an exhausted budget raises it.

        Args:
            wanted: the coin said to ask.
            asked: the query was asked and paid for.
            share: the budget, queries per sample, 0 … 1.

        Example:
            >>> Budget().after(wanted=True, asked=True, share=0.1)
            Budget(seen=1, spent=1, threshold=0.130996445073)
        """
        moved = self.threshold * math.exp(GAIN * (float(wanted) - share))
        return Budget(self.seen + 1, self.spent + int(asked), round(min(1.0, max(FLOOR, moved)), 12))
