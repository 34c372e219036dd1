"""Compiled kernels of the encoders."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled

Reals = NDArray[np.float64]


@compiled
def standardised(x: NDArray[np.float32], count: Number, mean: Reals, squares: Reals, most: Number) -> Reals:
    """Return (x - mean)/deviation cut to +-`most`; a field that has not varied yet gives x - mean, cut too."""
    out = np.empty(x.size, np.float64)
    for d in range(x.size):
        variance = squares[d] / max(count, 1.0)
        deviation = math.sqrt(variance) if variance > 0.0 else 1.0
        out[d] = min(max((np.float64(x[d]) - mean[d]) / deviation, -most), most)
    return out


@compiled
def thermometer(scaled: Reals, levels: Reals) -> NDArray[np.float32]:
    """Return scaled values and after them, level by level, +1 where a value is above the level and -1 elsewhere."""
    size = scaled.size
    out = np.empty(size * (1 + levels.size), np.float32)
    for d in range(size):
        out[d] = scaled[d]
        for level in range(levels.size):
            out[size * (1 + level) + d] = 1.0 if scaled[d] > levels[level] else -1.0
    return out


@compiled
def thermometers(
    xs: NDArray[np.float32], moments: tuple[Number, Reals, Reals], most: Number, levels: Reals
) -> NDArray[np.float32]:
    """Return `thermometer` of each row of xs [B, dim], `standardised` by moments (count, mean, squares)."""
    out = np.empty((xs.shape[0], xs.shape[1] * (1 + levels.size)), np.float32)
    for b in range(xs.shape[0]):
        out[b] = thermometer(standardised(xs[b], moments[0], moments[1], moments[2], most), levels)
    return out


@compiled
def with_one_more(x: NDArray[np.float32], count: Number, mean: Reals, squares: Reals) -> tuple[Reals, Reals]:
    """Return mean and sum of squared deviations with one more vector, by Welford; `count` includes it."""
    moved, more = np.empty_like(mean), np.empty_like(squares)
    for d in range(x.size):
        apart = np.float64(x[d]) - mean[d]
        moved[d] = mean[d] + apart / count
        more[d] = squares[d] + apart * (np.float64(x[d]) - moved[d])
    return moved, more
