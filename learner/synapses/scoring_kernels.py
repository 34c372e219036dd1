"""The committee, compiled: S passes with hard moments and a fixed noise bank, one read-only view of one version.

z_s = x t + sqrt(max(x^2 (1 - t^2), 1e-6)) e_s. The two sums over inputs are made once for all S passes of the first
layer; every output adds its inputs in their order, so an input's logits do not depend on what else is in the batch.

Shapes: R rows, D inputs, H outputs, S passes, C classes. The reference is `network.Committee`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.synapses.activation_kernels import NORM_EPSILON, lane_sum, normalise
from learner.synapses.kernels import reaching
from learner.synapses.moment_kernels import Array, gather_means, means

_ZERO, _ONE, _VARIANCE_FLOOR = np.float32(0.0), np.float32(1.0), np.float32(1e-6)
_TILE = 8
"""Rows that are scored together; the result does not depend on it."""

_LANES = 8
"""Numbers that a processor adds at once."""


@compiled
def committee_logits(layers: tuple[Array, ...], bank: tuple[Array, ...], x: Array, scale: Number) -> Array:
    """Return the logits [R, S, C] of inputs x [R, D].

    Args:
        layers: means tanh lambda of each layer [fan_in, fan_out].
        bank: standard normal numbers per layer [S, fan_out].
        x: inputs [R, D], float32.
        scale: logits = scale z; 0 means the published norm on the logits.

    Example:
        >>> layers, bank = (np.full((2, 3), 0.5, np.float32),), (np.zeros((4, 3), np.float32),)
        >>> committee_logits(layers, bank, np.ones((1, 2), np.float32), 1.0)[0, 0].tolist()
        [1.0, 1.0, 1.0]
    """
    out = np.empty((x.shape[0], bank[0].shape[0], layers[len(layers) - 1].shape[1]), np.float32)
    inputs = np.arange(x.shape[1])
    # In tiles, so that all in between stays in the cache; no row depends on its neighbours.
    for first in range(0, x.shape[0], _TILE):
        last = min(first + _TILE, x.shape[0])
        mean, variance = _sums(layers[0], inputs, x[first:last])
        _vote(layers, mean, variance, bank, scale, out[first:last])
    return out


@compiled
def logits_of_one(layers: tuple[Array, ...], bank: tuple[Array, ...], x: Array, scale: Number) -> Array:
    """Return what `committee_logits` says of x [1, D], [1, S, C], from lambda itself: only the means that x needs.

    Args:
        layers: lambda of each layer [fan_in, fan_out].
        bank: standard normal numbers per layer [S, fan_out].
        x: input [1, D], float32.
        scale: logits = scale z; 0 means the published norm on the logits.
    """
    out = np.empty((1, bank[0].shape[0], layers[len(layers) - 1].shape[1]), np.float32)
    inputs = reaching(x)
    needed = [gather_means(layers[0], inputs)]
    for index in range(1, len(layers)):
        needed.append(means(layers[index]))  # noqa: PERF401 - a generator does not compile
    mean, variance = _sums(needed[0], inputs, x)
    _vote(needed, mean, variance, bank, scale, out)
    return out


@compiled
def _sums(t: Array, inputs: NDArray[np.int64], x: Array) -> tuple[Array, Array]:
    """Return x t and x^2 (1 - t^2), both [R, H], of means t [A, H] of `inputs` [A] and inputs x [R, D].

    Four inputs at a time, so that the sums are fetched and put back once for the four of them.
    """
    mean = np.zeros((x.shape[0], t.shape[1]), np.float32)
    variance = np.zeros((x.shape[0], t.shape[1]), np.float32)
    lit, x1 = np.empty(t.shape[0] + 1, np.int64), np.empty(t.shape[0] + 1, np.float32)
    for r in range(x.shape[0]):
        count = 0
        for a in range(t.shape[0]):
            lit[count], x1[count] = a, x[r, inputs[a]]
            count += int(x1[count] != _ZERO)
        whole = count - count % 4
        for i in range(0, whole, 4):
            a, b, c, d = lit[i], lit[i + 1], lit[i + 2], lit[i + 3]
            xa, xb, xc, xd = x1[i], x1[i + 1], x1[i + 2], x1[i + 3]
            ya, yb, yc, yd = xa * xa, xb * xb, xc * xc, xd * xd
            for h in range(t.shape[1]):
                ta, tb, tc, td = t[a, h], t[b, h], t[c, h], t[d, h]
                mean[r, h] = mean[r, h] + xa * ta + xb * tb + xc * tc + xd * td
                va, vb, vc, vd = _ONE - ta * ta, _ONE - tb * tb, _ONE - tc * tc, _ONE - td * td
                variance[r, h] = variance[r, h] + ya * va + yb * vb + yc * vc + yd * vd
        for i in range(whole, count):
            for h in range(t.shape[1]):
                mean[r, h] += x1[i] * t[lit[i], h]
                variance[r, h] += x1[i] * x1[i] * (_ONE - t[lit[i], h] * t[lit[i], h])
    return mean, variance


@compiled
def _vote(
    layers: Sequence[Array], mean: Array, variance: Array, bank: tuple[Array, ...], scale: Number, out: Array
) -> None:
    """Write the logits [R, S, C] of rows whose first layer has these sums [R, H]."""
    votes = bank[0].shape[0]
    z = _perturbed(mean, variance, bank[0])
    for index in range(1, len(layers)):
        _close_gates(z)
        mean, variance = _gated_sums(layers[index], z)
        for i in range(z.shape[0]):
            for h in range(mean.shape[1]):
                deviation = np.float32(math.sqrt(max(variance[i, h], _VARIANCE_FLOOR)))
                mean[i, h] += deviation * bank[index][i % votes, h]
        z = mean
    squares = np.empty(z.shape[1], np.float32)
    for i in range(z.shape[0]):
        to = out[i // votes, i % votes]
        if scale == 0.0:
            normalise(z[i], to, squares)
        else:
            for c in range(z.shape[1]):
                to[c] = z[i, c] * np.float32(scale)


@compiled
def _perturbed(mean: Array, variance: Array, bank: Array) -> Array:
    """Return mean + sqrt(max(variance, 1e-6)) e, [R S, H]: row r S + s with e = bank[s]."""
    votes = bank.shape[0]
    z = np.empty((mean.shape[0] * votes, mean.shape[1]), np.float32)
    deviation = np.empty(mean.shape[1], np.float32)
    for r in range(mean.shape[0]):
        for h in range(mean.shape[1]):
            deviation[h] = math.sqrt(max(variance[r, h], _VARIANCE_FLOOR))
        for s in range(votes):
            for h in range(mean.shape[1]):
                z[r * votes + s, h] = mean[r, h] + deviation[h] * bank[s, h]
    return z


@compiled
def _close_gates(z: Array) -> None:
    """Turn pre-activations [R, H] into gates 1{|layer_norm(z)| > 1}: where (z - mean)^2 is above variance + 1e-5."""
    squares, width = np.empty(z.shape[1], np.float32), np.float32(z.shape[1])
    for i in range(z.shape[0]):
        mean = lane_sum(z[i]) / width
        for h in range(z.shape[1]):
            squares[h] = (z[i, h] - mean) * (z[i, h] - mean)
        threshold = lane_sum(squares) / width + NORM_EPSILON
        for h in range(z.shape[1]):
            z[i, h] = _ONE if squares[h] > threshold else _ZERO


@compiled
def _gated_sums(t: Array, h: Array) -> tuple[Array, Array]:
    """Return the same as `_sums` for gates h [R, D] of 0 and 1: h t and h (1 - t^2), [R, H] each.

    Both sums lie in one row, padded to whole lanes; four open gates are added at a time, in their order.
    """
    width = t.shape[1]
    rows = np.zeros((t.shape[0], (2 * width + _LANES - 1) // _LANES * _LANES), np.float32)
    for d in range(t.shape[0]):
        for j in range(width):
            rows[d, j] = t[d, j]
            rows[d, width + j] = _ONE - t[d, j] * t[d, j]
    mean, variance = np.empty((h.shape[0], width), np.float32), np.empty((h.shape[0], width), np.float32)
    open_, sums = np.empty(h.shape[1] + 1, np.int64), np.empty(rows.shape[1], np.float32)
    for r in range(h.shape[0]):
        count = 0
        for d in range(h.shape[1]):
            open_[count] = d
            count += int(h[r, d] != _ZERO)
        sums[:] = _ZERO
        whole = count - count % 4
        for i in range(0, whole, 4):
            a, b, c, d = open_[i], open_[i + 1], open_[i + 2], open_[i + 3]
            for j in range(sums.size):
                sums[j] = sums[j] + rows[a, j] + rows[b, j] + rows[c, j] + rows[d, j]
        for i in range(whole, count):
            for j in range(sums.size):
                sums[j] += rows[open_[i], j]
        mean[r], variance[r] = sums[:width], sums[width : 2 * width]
    return mean, variance
