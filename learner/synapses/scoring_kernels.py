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
"""Rows that share one reading of the means; the result does not depend on it."""


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
    """Return x t and x^2 (1 - t^2), both [R, H], of means t [A, H] of `inputs` [A] and inputs x [R, D]."""
    mean = np.zeros((x.shape[0], t.shape[1]), np.float32)
    variance = np.zeros((x.shape[0], t.shape[1]), np.float32)
    for a in range(t.shape[0]):
        for r in range(x.shape[0]):
            x1 = x[r, inputs[a]]
            if x1 != _ZERO:
                x2 = x1 * x1
                for h in range(t.shape[1]):
                    mean[r, h] += x1 * t[a, h]
                    variance[r, h] += x2 * (_ONE - t[a, h] * t[a, h])
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

    Outputs are taken eight at a time, in sums that stay in registers; each still adds its inputs in their order.
    """
    tiles, width = (t.shape[1] + 7) // 8, t.shape[1]
    rows = np.zeros((tiles, t.shape[0], 16), np.float32)
    for d in range(t.shape[0]):
        for c in range(width):
            rows[c // 8, d, c % 8] = t[d, c]
            rows[c // 8, d, 8 + c % 8] = _ONE - t[d, c] * t[d, c]
    mean, variance = np.empty((h.shape[0], width), np.float32), np.empty((h.shape[0], width), np.float32)
    open_ = np.empty(h.shape[1], np.uint64)
    for r in range(h.shape[0]):
        count = 0
        for d in range(h.shape[1]):
            open_[count] = d
            count += int(h[r, d] != _ZERO)
        for tile in range(tiles):
            m, v = _sum_open(rows[tile], open_, count)
            for c in range(min(8, width - tile * 8)):
                mean[r, tile * 8 + c], variance[r, tile * 8 + c] = m[c], v[c]
    return mean, variance


@compiled
def _sum_open(rows: Array, open_: NDArray[np.uint64], count: int) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
    m0 = m1 = m2 = m3 = m4 = m5 = m6 = m7 = v0 = v1 = v2 = v3 = v4 = v5 = v6 = v7 = _ZERO
    for i in range(count):
        d = open_[i]
        m0, m1, m2, m3 = m0 + rows[d, 0], m1 + rows[d, 1], m2 + rows[d, 2], m3 + rows[d, 3]
        m4, m5, m6, m7 = m4 + rows[d, 4], m5 + rows[d, 5], m6 + rows[d, 6], m7 + rows[d, 7]
        v0, v1, v2, v3 = v0 + rows[d, 8], v1 + rows[d, 9], v2 + rows[d, 10], v3 + rows[d, 11]
        v4, v5, v6, v7 = v4 + rows[d, 12], v5 + rows[d, 13], v6 + rows[d, 14], v7 + rows[d, 15]
    return (m0, m1, m2, m3, m4, m5, m6, m7), (v0, v1, v2, v3, v4, v5, v6, v7)
