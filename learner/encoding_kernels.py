"""Compiled kernels of the encoders."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled

Reals = NDArray[np.float64]

_AT_ONCE = 16
"""Pixels that are added at once."""


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


@compiled
def thermometers_of_each(
    xs: NDArray[np.float32], moments: tuple[Number, Reals, Reals], most: Number, levels: Reals
) -> tuple[NDArray[np.float32], NDArray[np.float32], Reals, Reals]:
    """Return `thermometers` of rows [B, dim] before and after each was learned, and mean and squares after all."""
    count, mean, squares = moments
    before = np.empty((xs.shape[0], xs.shape[1] * (1 + levels.size)), np.float32)
    after = np.empty_like(before)
    for b in range(xs.shape[0]):
        before[b] = thermometer(standardised(xs[b], count, mean, squares, most), levels)
        count += 1.0
        mean, squares = with_one_more(xs[b], count, mean, squares)
        after[b] = thermometer(standardised(xs[b], count, mean, squares, most), levels)
    return before, after, mean, squares


@compiled
def decoded(codes: NDArray[np.uint8], fields: int, steps: Reals, out: NDArray[np.float32]) -> None:
    """Write the features of codes [R, Z] to the first columns of `out`.

    Args:
        codes: 0 or 1, the thermometers' bits first, level by level.
        fields: how many thermometers; 0: the features are bits as they are, as many as there are.
        steps: the value that stands for each count of levels passed [levels + 1].
        out: [R, D or more]; of thermometers D = fields (levels + 1).
    """
    for r in range(codes.shape[0]):
        if fields == 0:
            for z in range(codes.shape[1]):
                out[r, z] = codes[r, z]
        for d in range(fields):
            passed = 0
            for level in range(steps.size - 1):
                bit = codes[r, level * fields + d]
                passed += bit
                out[r, (level + 1) * fields + d] = 2.0 * bit - 1.0
            out[r, d] = steps[passed]


@compiled
def thermometer_with_gaps(
    values: Reals,
    moments: tuple[Reals, Reals, Reals],
    most: Number,
    levels: Reals,
    out: NDArray[np.float32],
    gaps: NDArray[np.float32],
) -> None:
    """Write a row's numbers as `thermometer` has them; a missing one is 0 in all of it, and 1 among the gaps.

    Args:
        values: numbers [N], NaN where missing.
        moments: how often each was known, its mean, and its sum of squared deviations [N].
        most: standardised values are cut to +- this.
        levels: the thermometer's.
        out: [N (1 + levels)], written.
        gaps: [N], written.
    """
    size, count, mean, squares = values.size, moments[0], moments[1], moments[2]
    out[:] = 0.0
    for d in range(size):
        missing = math.isnan(values[d])
        gaps[d] = 1.0 if missing else 0.0
        if not missing:
            variance = squares[d] / max(count[d], 1.0)
            deviation = math.sqrt(variance) if variance > 0.0 else 1.0
            scaled = min(max((values[d] - mean[d]) / deviation, -most), most)
            out[d] = scaled
            for level in range(levels.size):
                out[size * (1 + level) + d] = 1.0 if scaled > levels[level] else -1.0


@compiled
def with_one_more_row(values: Reals, count: Reals, mean: Reals, squares: Reals) -> tuple[Reals, Reals, Reals]:
    """Return the moments with one more row of numbers [N], by Welford; a missing one, NaN, moves nothing."""
    counted, moved, more = count.copy(), mean.copy(), squares.copy()
    for d in range(values.size):
        if not math.isnan(values[d]):
            apart = values[d] - mean[d]
            counted[d] += 1.0
            moved[d] += apart / counted[d]
            more[d] += apart * (values[d] - moved[d])
    return counted, moved, more


@compiled
def stretched(tones: Reals, mean: Number) -> Reals:
    """Return the pixels that have these tones in a picture of this mean."""
    out = np.empty_like(tones)
    for n in range(tones.size):
        tone = tones[n]
        out[n] = 2.0 * tone * mean if tone <= 0.5 else 1.0 - 2.0 * (1.0 - tone) * (1.0 - mean)
    return out


@compiled
def stretched_by_means(pixels: NDArray[np.float32], tones: Reals) -> NDArray[np.float32]:
    """Return the pixels of `stretched` for the mean of each picture, [B, tones].

    Args:
        pixels: 0 … 1, [B, D]. They have 24 bits each, so their sum in double precision is exact in any order.
        tones: 0 … 1.
    """
    out, sums = np.empty((pixels.shape[0], tones.size), np.float32), np.empty(_AT_ONCE, np.float64)
    size = pixels.shape[1]
    whole = size - size % _AT_ONCE
    for b in range(pixels.shape[0]):
        sums[:] = 0.0
        for first in range(0, whole, _AT_ONCE):
            for j in range(_AT_ONCE):
                sums[j] += np.float64(pixels[b, first + j])
        total = sums.sum()
        for d in range(whole, size):
            total += np.float64(pixels[b, d])
        out[b] = stretched(tones, total / size)
    return out


@compiled
def passed(pixels: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return level by level which pixels [B, D] are above their picture's thresholds [B, levels], [B, levels D]."""
    rows, size = pixels.shape
    out = np.empty((rows, thresholds.shape[1] * size), np.uint8)
    for b in range(rows):
        for level in range(thresholds.shape[1]):
            threshold = thresholds[b, level]
            for d in range(size):
                out[b, level * size + d] = pixels[b, d] > threshold
    return out
