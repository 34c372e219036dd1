"""How rare a class is, among the labels and among the samples: what makes a sample of it worth more. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

QUARTER = 0.25

UNSEEN: Mapping[str, int] = MappingProxyType({})
"""Before any class was predicted."""

_SUPPOSED = 4
"""Samples of each class that are supposed to have come before the first: a few more or less say nothing."""

_SCARCE = 0.25
"""The share, of the even one, from which on a class counts as scarce."""

_REMEMBERED = 200
"""Samples for each class from which on older ones count half: a class that becomes rare is soon known to be."""


def rarities(counts: Sequence[int]) -> NDArray[np.float64]:
    """Return how rare each class is, in (0, 1].

    r_c = min(1, (q + 1)/(n_c + 1)), with n_c the labels of class c and q the lower quartile of those n that are not 0:
    the quarter of the classes that is known least counts in full, the others less, the more labels they have. A class
    that has one label by mistake, or none yet, moves the quartile little.

    Args:
        counts: labels by class, >= 0.

    Example:
        >>> rarities([9, 9, 99, 0]).tolist()
        [1.0, 1.0, 0.1, 1.0]
    """
    quartile = _quantile(sorted(count for count in counts if count > 0), QUARTER)
    return np.array([min(1.0, (quartile + 1.0) / (count + 1.0)) for count in counts], np.float64)


def rarities_of_each(counts: Sequence[int], labels: Sequence[int]) -> NDArray[np.float64]:
    """Return the `rarities` before each of R labels was counted, [R, C].

    Args:
        counts: labels by class before the first.
        labels: class indices.

    Example:
        >>> rarities_of_each([1, 1], [0, 0]).tolist()
        [[1.0, 1.0], [0.75, 1.0]]
    """
    of_each, running = np.empty((len(labels), len(counts))), list(counts)
    for r, label in enumerate(labels):
        of_each[r] = rarities(running)
        running[label] += 1
    return of_each


def scarcity(predicted: Mapping[str, int], label: str, classes: int) -> float:
    """Return how much less often than others a class comes, in [0, 1): 0 from a quarter of the even share on.

    g_c = max(0, 1 - 4 C (m_c + 4)/(M + 4 C)), with m_c the samples that were predicted to be of class c, M all of them
    and C the number of classes. Labels do not tell it: asking for rare classes evens them out. That the classes
    of a task differ by two or three times is usual, and makes none of them scarce.

    Args:
        predicted: samples by predicted class, as `counted` leaves them.
        label: the class.
        classes: how many are known, >= 1.

    Source:
        Additive smoothing: Lidstone, 1920.

    Example:
        >>> came = {"a": 460, "b": 500}
        >>> [round(scarcity(came, name, 3), 2) for name in "abz"]
        [0.0, 0.0, 0.95]
    """
    share = (predicted.get(label, 0) + _SUPPOSED) / (sum(predicted.values()) + _SUPPOSED * classes)
    return max(0.0, 1.0 - classes * share / _SCARCE)


def counted(predicted: Mapping[str, int], label: str, classes: int) -> dict[str, int]:
    """Return the samples by predicted class with one more; all are halved where there are 200 for each class.

    Args:
        predicted: as it was before; left as it is.
        label: the class predicted of the sample that came.
        classes: how many are known, >= 1.

    Example:
        >>> counted({"a": 1}, "b", 2)
        {'a': 1, 'b': 1}
        >>> counted({"a": 198, "b": 1}, "a", 1)
        {'a': 99}
    """
    more = {**predicted, label: predicted.get(label, 0) + 1}
    if sum(more.values()) < _REMEMBERED * classes:
        return more
    return {name: half for name, count in more.items() if (half := count // 2) > 0}


def _quantile(ordered: Sequence[int], share: float) -> float:
    """Return the quantile of numbers in order, on the line between the two it lies between; 0 of none."""
    if not ordered:
        return 0.0
    below, part = divmod(share * (len(ordered) - 1), 1.0)
    low, high = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
    return float(low + part * (high - low) if part < 0.5 else high - (1.0 - part) * (high - low))
