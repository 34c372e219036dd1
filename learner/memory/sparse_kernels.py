"""Compiled kernel of the memory for sparse codes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.memory.mixture_kernels import Bytes, Reals


@compiled
def log_ratios(sums: NDArray[np.int32], seen: Reals, total: Reals, codes: Bytes, smoothing: Number) -> Reals:
    """Return log p(code | class) - log p(code | everywhere) in nats for each code, [R, C].

    Args:
        sums: codes of each class with each bit [Z, C].
        seen: codes of each class [C].
        total: set bits of each class over all its codes [C].
        codes: 0 or 1 [R, Z].
        smoothing: how many codes the background counts for.
    """
    learned, out = seen.sum() + 1.0, np.empty((codes.shape[0], seen.size), np.float64)
    background = (total.sum() + 0.5 * sums.shape[0]) / learned
    for r in range(codes.shape[0]):
        for c in range(seen.size):
            out[r, c] = background - (total[c] + smoothing * background) / (seen[c] + smoothing)
        for d in range(codes.shape[1]):
            if codes[r, d]:
                anywhere = 0.5
                for c in range(seen.size):
                    anywhere += sums[d, c]
                anywhere /= learned
                for c in range(seen.size):
                    out[r, c] += math.log((sums[d, c] / anywhere + smoothing) / (seen[c] + smoothing))
    return out
