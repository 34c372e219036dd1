"""How rare a class is among those that are known: what makes a sample worth more whose class is probably rare. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

QUARTER = 0.25


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


def _quantile(ordered: Sequence[int], share: float) -> float:
    """Return the quantile of numbers in order, on the line between the two it lies between; 0 of none."""
    if not ordered:
        return 0.0
    below, part = divmod(share * (len(ordered) - 1), 1.0)
    low, high = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
    return float(low + part * (high - low) if part < 0.5 else high - (1.0 - part) * (high - low))
