"""Compiled kernel of the memory for sparse codes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import compiled
from learner.memory.likelihood_kernels import Bytes, Reals


@compiled
def log_ratios(sums: NDArray[np.int32], seen: Reals, total: Reals, codes: Bytes, settings: Reals) -> Reals:
    """Return log p(code | class) - log p(code | everywhere) in nats for each code, [R, C].

    Args:
        sums: codes of each class with each bit [Z, C].
        seen: codes of each class [C].
        total: weights of each class's set bits over all its codes [C].
        codes: 0 or 1 [R, Z].
        settings: how many codes the background counts for, how many bits weigh 1, and the weight of those after.
    """
    learned, out = seen.sum() + 1.0, np.empty((codes.shape[0], seen.size), np.float64)
    smoothing, heavy, light = settings[0], int(settings[1]), settings[2]
    background = (total.sum() + 0.5 * (heavy + light * (sums.shape[0] - heavy))) / learned
    for r in range(codes.shape[0]):
        for c in range(seen.size):
            out[r, c] = background - (total[c] + smoothing * background) / (seen[c] + smoothing)
        for d in range(codes.shape[1]):
            if codes[r, d]:
                anywhere = 0.5
                for c in range(seen.size):
                    anywhere += sums[d, c]
                anywhere /= learned
                weight = 1.0 if d < heavy else light
                for c in range(seen.size):
                    out[r, c] += weight * math.log((sums[d, c] / anywhere + smoothing) / (seen[c] + smoothing))
    return out
