"""What is worth asking at this moment: a threshold that settles where the budget is spent. Pure."""

from __future__ import annotations

import math

GAIN = 0.15
"""How far the threshold's logarithm moves for each query that is wanted beyond the budget, or missing from it."""

LEAN = 0.6
"""How far the threshold's logarithm leans from full buckets to empty ones."""

HASTE = 16.0
"""How much faster the threshold falls where the buckets are full and budget is being lost."""

FLOOR, CEILING = 0.005, 2.0
"""The threshold's range: below the floor the learner is as good as certain, at the ceiling not even 1 is wanted."""

START = 0.1
"""The threshold before anything is known of the stream's utilities."""


def leaning(threshold: float, level: float) -> float:
    """Return the threshold as it leans on the buckets: threshold · exp(LEAN (1/2 - level)).

    Args:
        threshold: as it has settled, > 0.
        level: how full the buckets are of what may be spent, 0 … 1.

    Example:
        >>> leaning(0.1, 0.5), round(leaning(0.1, 1.0), 4)
        (0.1, 0.0741)
    """
    return threshold * math.exp(LEAN * (0.5 - level))


def moved(threshold: float, *, wish: float, granted: float, level: float) -> float:
    """Return the threshold after one sample.

    ::

        ln θ' = ln θ + GAIN (wish - granted (1 + HASTE max(0, 2 level - 1)²)),  within FLOOR … CEILING

    It settles where the mean wish is what is granted, whatever the distribution and the scale of utilities (Robbins and
    Monro, 1951, for a quantile). The wish is a probability, not a coin's outcome, which keeps the coin's noise out.

    Args:
        threshold: before it.
        wish: the probability of asking if the buckets held enough, 0 … 1.
        granted: what the sample was granted, in queries, 0 … 1.
        level: how full the buckets are of what may be spent, 0 … 1.

    Example:
        >>> round(moved(0.1, wish=1.0, granted=0.1, level=0.5), 4)
        0.1145
        >>> round(moved(0.1, wish=0.0, granted=0.1, level=1.0), 4)
        0.0775
    """
    haste = 1.0 + HASTE * max(0.0, 2.0 * level - 1.0) ** 2
    found = threshold * math.exp(GAIN * (wish - granted * haste))
    return round(min(CEILING, max(FLOOR, found)), 12)
