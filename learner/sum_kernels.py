"""A compiled sum whose order is fixed, and of which a processor can still add several numbers at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled

Array = NDArray[np.float32]

_LANES = 16
_ZERO = np.float32(0.0)


@compiled
def lanes_of_a_sum() -> Array:
    """Return scratch for `lane_sum`."""
    return np.empty(_LANES, np.float32)


@compiled
def lane_sum(values: Array, lanes: Array) -> Number:
    """Return the sum of values [N], added up in 16 lanes and the lanes in their order; `lanes` is scratch."""
    total, whole = _ZERO, values.size - values.size % _LANES
    if whole == 0:
        for j in range(values.size):
            total += values[j]
        return total
    lanes[:] = values[:_LANES]
    for first in range(_LANES, whole, _LANES):
        for lane in range(_LANES):
            lanes[lane] += values[first + lane]
    for j in range(whole, values.size):
        lanes[j - whole] += values[j]
    for lane in range(_LANES):
        total += lanes[lane]
    return total
