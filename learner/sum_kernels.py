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
    lanes[:] = _ZERO
    whole = values.size // _LANES
    blocks = values[: whole * _LANES].reshape(whole, _LANES)
    for block in range(whole):
        for lane in range(_LANES):
            lanes[lane] += blocks[block, lane]
    for j in range(whole * _LANES, values.size):
        lanes[j - whole * _LANES] += values[j]
    total = _ZERO
    for lane in range(_LANES):
        total += lanes[lane]
    return total
