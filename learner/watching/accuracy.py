"""Accuracy from labels that were not chosen at random: each counts by one over its propensity."""

from __future__ import annotations

import math
from typing import NamedTuple

_Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


class Estimate(NamedTuple):
    """A share and its 95 % interval, all in 0 … 1."""

    estimate: float
    low: float
    high: float


def weighted_accuracy(correct: float, total: float, total_squared: float) -> Estimate | None:
    """Return the self-normalised estimate of accuracy, with Wilson's interval at the effective number of labels.

    With w_i = 1/p_i::

        a = sum(w_i correct_i) / sum(w_i)        n = sum(w_i)^2 / sum(w_i^2)
        interval = (a + z^2/2n +- z sqrt(a(1-a)/n + z^2/4n^2)) / (1 + z^2/n)

    Args:
        correct: sum of the weights of labels that the prediction before learning had right, >= 0.
        total: sum of all weights, >= `correct`.
        total_squared: sum of all squared weights.

    Returns:
        The estimate, or None without any label.

    Raises:
        ValueError: where the sums cannot belong together.

    Source:
        Hesterberg, *Weighted average importance sampling*, 1995; Wilson, 1927; Kish, 1965, for n.

    Example:
        >>> [round(x, 3) for x in weighted_accuracy(90.0, 100.0, 100.0)]
        [0.9, 0.826, 0.945]
    """
    if total <= 0:
        return None
    if not (0 <= correct <= total * (1 + 1e-9) and total_squared > 0):
        raise ValueError(f"correct must be in 0 … total = {total}, got {correct}")
    share = min(1.0, correct / total)
    z2 = _Z95 * _Z95 * total_squared / (total * total)
    half = math.sqrt(z2 * share * (1.0 - share) + z2 * z2 / 4.0)
    return Estimate(
        share, max(0.0, (share + z2 / 2.0 - half) / (1.0 + z2)), min(1.0, (share + z2 / 2.0 + half) / (1.0 + z2))
    )
