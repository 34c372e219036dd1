"""Which snapshots to keep: all recent ones, then ever sparser, so that storage and any rebuild stay bounded."""

from __future__ import annotations

from collections.abc import Iterable


def surplus(numbers: Iterable[int], recent: int) -> set[int]:
    """Return the numbers of the snapshots that may go, where snapshots are numbered 1, 2, 3 … as they are made.

    A number is kept while its age is below `recent` times the largest power of two that divides it. So at any age a
    the kept ones lie at most max(1, 2 a / recent) apart, and of n there are about recent · (1 + log2(n / recent) / 2).

    Args:
        numbers: of the snapshots that are there.
        recent: how many of the newest are all kept, at least 1.

    Example:
        >>> sorted(set(range(1, 41)) - surplus(range(1, 41), 4))
        [16, 24, 28, 32, 34, 36, 37, 38, 39, 40]
    """
    found = list(numbers)
    newest = max(found, default=0)
    return {number for number in found if newest - number >= recent * (number & -number)}
