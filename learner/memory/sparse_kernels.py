"""Compiled kernel of the memory for sparse codes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.memory.mixture_kernels import Reals


@compiled
def log_ratios(
    sums: NDArray[np.int32], seen: Reals, total: Reals, set_bits: NDArray[np.int64], smoothing: Number
) -> Reals:
    """Return log p(code | class) - log p(code | everywhere) in nats [C].

    Args:
        sums: codes of each class with each bit [Z, C].
        seen: codes of each class [C].
        total: set bits of each class over all its codes [C].
        set_bits: which bits the code has.
        smoothing: how many codes the background counts for.
    """
    codes, out = seen.sum() + 1.0, np.empty(seen.size, np.float64)
    background = (total.sum() + 0.5 * sums.shape[0]) / codes
    for c in range(seen.size):
        out[c] = background - (total[c] + smoothing * background) / (seen[c] + smoothing)
    for d in set_bits:
        anywhere = 0.5
        for c in range(seen.size):
            anywhere += sums[d, c]
        anywhere /= codes
        for c in range(seen.size):
            out[c] += math.log((sums[d, c] / anywhere + smoothing) / (seen[c] + smoothing))
    return out
