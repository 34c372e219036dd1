"""The committee, compiled: S passes with hard moments and a fixed noise bank, one read-only view of one version.

z_s = x t + sqrt(max(x^2 (1 - t^2), 1e-6)) e_s. The two sums over inputs are made once for all S passes of the first
layer; every output adds its inputs in a fixed order, so an input's logits do not depend on what else is in the batch.

Shapes: R rows, D inputs, H outputs, S passes, C classes. The reference is `network.Committee`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.sum_kernels import lane_sum, lanes_of_a_sum
from learner.synapses.activation_kernels import NORM_EPSILON, normalise
from learner.synapses.kernels import reaching
from learner.synapses.moment_kernels import Array, gather_means, means

Places = NDArray[np.uint32]
"""Indices that are known not to be negative, which spares the compiler a question for each."""

_ZERO, _ONE, _VARIANCE_FLOOR = np.float32(0.0), np.float32(1.0), np.float32(1e-6)
_TILE = 8
"""Rows that are scored together; the result does not depend on it."""

_LANES = 8
"""Numbers that a processor adds at once."""


@compiled
def committee_logits(layers: tuple[Array, ...], bank: tuple[Array, ...], x: Array, scale: Number) -> Array:
    """Return the logits [R, S, C] of inputs x [R, D].

    Args:
        layers: means t = tanh lambda of the first layer [fan_in, fan_out], `paired` ones of the others.
        bank: standard normal numbers per layer [S, fan_out].
        x: inputs [R, D], float32.
        scale: logits = scale z; 0 means the published norm on the logits.

    Example:
        >>> layers, bank = (np.full((2, 3), 0.5, np.float32),), (np.zeros((4, 3), np.float32),)
        >>> committee_logits(layers, bank, np.ones((1, 2), np.float32), 1.0)[0, 0].tolist()
        [1.0, 1.0, 1.0]
    """
    out = np.empty((x.shape[0], bank[0].shape[0], bank[len(bank) - 1].shape[1]), np.float32)
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
    out = np.empty((1, bank[0].shape[0], bank[len(bank) - 1].shape[1]), np.float32)
    inputs = reaching(x)
    needed = [gather_means(layers[0], inputs)]
    for index in range(1, len(layers)):
        needed.append(paired(means(layers[index])))  # noqa: PERF401 - a generator does not compile
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
    lit, x1 = np.empty(t.shape[0] + 1, np.uint32), np.empty(t.shape[0] + 1, np.float32)
    for r in range(x.shape[0]):
        count = 0
        for a in range(t.shape[0]):
            lit[count], x1[count] = a, x[r, inputs[a]]
            count += int(x1[count] != _ZERO)
        whole = count - count % 4
        for i in range(0, whole, 4):
            a, b, c, d = t[lit[i]], t[lit[i + 1]], t[lit[i + 2]], t[lit[i + 3]]
            xa, xb, xc, xd = x1[i], x1[i + 1], x1[i + 2], x1[i + 3]
            ya, yb, yc, yd = xa * xa, xb * xb, xc * xc, xd * xd
            for h in range(t.shape[1]):
                ta, tb, tc, td = a[h], b[h], c[h], d[h]
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
    """Write the logits [R, S, C] of rows whose first layer has these sums [R, H].

    Args:
        layers: each layer as `committee_logits` takes them; the first is not looked at.
        mean: x t [R, H].
        variance: x^2 (1 - t^2) [R, H].
        bank: standard normal numbers per layer [S, fan_out].
        scale: logits = scale z; 0 means the published norm on the logits.
        out: written.
    """
    width = mean.shape[1]
    for index in range(1, len(layers)):
        width = max(width, layers[index].shape[1])
    z, squares, sums = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    deviation, opened, lanes = np.empty(mean.shape[1], np.float32), np.empty(width + 1, np.uint32), lanes_of_a_sum()
    for r in range(mean.shape[0]):
        for h in range(mean.shape[1]):
            deviation[h] = math.sqrt(max(variance[r, h], _VARIANCE_FLOOR))
        for s in range(out.shape[1]):
            width = mean.shape[1]
            for h in range(width):
                z[h] = mean[r, h] + deviation[h] * bank[0][s, h]
            for index in range(1, len(layers)):
                count = _open_gates(z[:width], squares[:width], lanes, opened)
                both = sums[: layers[index].shape[1]]
                _gated_sums(layers[index], opened[:count], both)
                width = bank[index].shape[1]
                for h in range(width):
                    spread = np.float32(math.sqrt(max(both[width + h], _VARIANCE_FLOOR)))
                    z[h] = both[h] + spread * bank[index][s, h]
            if scale == 0.0:
                normalise(z[:width], out[r, s], squares[:width], lanes)
            else:
                for c in range(width):
                    out[r, s, c] = z[c] * np.float32(scale)


@compiled
def _open_gates(z: Array, squares: Array, lanes: Array, opened: Places) -> int:
    """Write which gates 1{|layer_norm(z)| > 1} are open [H + 1], in order; return how many.

    They are where (z - mean)^2 is above variance + 1e-5. `squares` and `lanes` are scratch.
    """
    mean, count = lane_sum(z, lanes) / np.float32(z.size), 0
    for h in range(z.size):
        squares[h] = (z[h] - mean) * (z[h] - mean)
    threshold = lane_sum(squares, lanes) / np.float32(z.size) + NORM_EPSILON
    for h in range(z.size):
        opened[count] = h
        count += int(squares[h] > threshold)
    return count


@compiled
def _gated_sums(pairs: Array, opened: Places, sums: Array) -> None:
    """Write the sums of the rows `opened` of `pairs` [D, 2 H and more]: h t and h (1 - t^2) of gates h of 0 and 1.

    Of four open gates first each two are added, then both pairs, and that to the sum.
    """
    sums[:] = _ZERO
    whole = opened.size - opened.size % 4
    for i in range(0, whole, 4):
        a, b, c, d = pairs[opened[i]], pairs[opened[i + 1]], pairs[opened[i + 2]], pairs[opened[i + 3]]
        for j in range(sums.size):
            sums[j] += (a[j] + b[j]) + (c[j] + d[j])
    for i in range(whole, opened.size):
        for j in range(sums.size):
            sums[j] += pairs[opened[i], j]


@compiled
def paired(t: Array) -> Array:
    """Return t and 1 - t^2 [D, H] in one row each, padded with zeros to whole lanes: [D, 2 H and more]."""
    width = t.shape[1]
    pairs = np.zeros((t.shape[0], (2 * width + _LANES - 1) // _LANES * _LANES), np.float32)
    for d in range(t.shape[0]):
        for h in range(width):
            pairs[d, h] = t[d, h]
            pairs[d, width + h] = _ONE - t[d, h] * t[d, h]
    return pairs
