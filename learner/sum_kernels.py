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
    lanes[:] = _ZERO
    first = 0
    # Several rounds of all lanes at a time, so that the lanes are fetched and put back once for them: the same order.
    while first + 8 * _LANES <= whole:
        v = values[first : first + 8 * _LANES]
        for j in range(_LANES):
            low = lanes[j] + v[j] + v[j + 16] + v[j + 32] + v[j + 48]
            lanes[j] = low + v[j + 64] + v[j + 80] + v[j + 96] + v[j + 112]
        first += 8 * _LANES
    while first + 3 * _LANES <= whole:
        v = values[first : first + 3 * _LANES]
        for j in range(_LANES):
            lanes[j] = lanes[j] + v[j] + v[j + 16] + v[j + 32]
        first += 3 * _LANES
    for at in range(first, whole, _LANES):
        for j in range(_LANES):
            lanes[j] += values[at + j]
    for j in range(whole, values.size):
        lanes[j - whole] += values[j]
    for lane in range(_LANES):
        total += lanes[lane]
    return total
