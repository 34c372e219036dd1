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
    labels = np.array(counts, dtype=np.float64)
    known = labels[labels > 0]
    quartile = float(np.quantile(known, QUARTER)) if known.size else 0.0
    weights: NDArray[np.float64] = np.minimum(1.0, (quartile + 1.0) / (labels + 1.0))
    return weights
