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
from learner.synapses.activation_kernels import gate_forward, normalise
from learner.synapses.kernels import Array

_ZERO, _ONE, _VARIANCE_FLOOR = np.float32(0.0), np.float32(1.0), np.float32(1e-6)
_TILE = 8
"""Rows that share one reading of the means; the result does not depend on it."""


@compiled
def sums(t: Array, x: Array) -> tuple[Array, Array]:
    """Return x t and x^2 (1 - t^2), both [R, H], of means t [D, H] and inputs x [R, D]."""
    mean = np.zeros((x.shape[0], t.shape[1]), np.float32)
    variance = np.zeros((x.shape[0], t.shape[1]), np.float32)
    for d in range(t.shape[0]):
        for r in range(x.shape[0]):
            if x[r, d] != _ZERO:
                _add(x[r, d], t[d], mean[r], variance[r])
    return mean, variance


@compiled
def _add(x: Number, t: Array, mean: Array, variance: Array) -> None:
    x2 = x * x
    for h in range(t.size):
        mean[h] += x * t[h]
        variance[h] += x2 * (_ONE - t[h] * t[h])


@compiled
def gated_sums(t: Array, h: Array) -> tuple[Array, Array]:
    """Return the same as `sums` for gates h [R, D] of 0 and 1: h t and h (1 - t^2), [R, H] each.

    Outputs are taken four at a time, in sums that stay in registers; each still adds its inputs in their order.
    """
    width = (t.shape[1] + 3) // 4 * 4
    padded = np.zeros((width // 4, t.shape[0], 4), np.float32)
    for d in range(t.shape[0]):
        for c in range(t.shape[1]):
            padded[c // 4, d, c % 4] = t[d, c]
    mean, variance = np.empty((h.shape[0], width), np.float32), np.empty((h.shape[0], width), np.float32)
    open_ = np.empty(h.shape[1], np.int64)
    for r in range(h.shape[0]):
        count = 0
        for d in range(h.shape[1]):
            open_[count] = d
            count += int(h[r, d] != _ZERO)
        for tile in range(width // 4):
            _sum_open(
                padded[tile], open_[:count], mean[r, 4 * tile : 4 * tile + 4], variance[r, 4 * tile : 4 * tile + 4]
            )
    return mean[:, : t.shape[1]].copy(), variance[:, : t.shape[1]].copy()


@compiled
def _sum_open(t: Array, open_: NDArray[np.int64], mean: Array, variance: Array) -> None:
    m0 = m1 = m2 = m3 = v0 = v1 = v2 = v3 = _ZERO
    for d in open_:
        row = t[d]
        t0, t1, t2, t3 = row[0], row[1], row[2], row[3]
        m0, m1, m2, m3 = m0 + t0, m1 + t1, m2 + t2, m3 + t3
        v0, v1, v2, v3 = v0 + (_ONE - t0 * t0), v1 + (_ONE - t1 * t1), v2 + (_ONE - t2 * t2), v3 + (_ONE - t3 * t3)
    mean[0], mean[1], mean[2], mean[3] = m0, m1, m2, m3
    variance[0], variance[1], variance[2], variance[3] = v0, v1, v2, v3


@compiled
def perturbed(mean: Array, variance: Array, bank: Array, repeat: int) -> Array:
    """Return mean + sqrt(max(variance, 1e-6)) e: each row `repeat` times, row i of the result with e = bank[i mod S].

    Args:
        mean: sums [R, H].
        variance: their variances [R, H].
        bank: the layer's noise [S, H].
        repeat: S where a row is one input, 1 where a row is one pass of an input already.
    """
    z = np.empty((mean.shape[0] * repeat, mean.shape[1]), np.float32)
    for i in range(z.shape[0]):
        of, square, e = mean[i // repeat], variance[i // repeat], bank[i % bank.shape[0]]
        for h in range(z.shape[1]):
            z[i, h] = of[h] + np.float32(math.sqrt(max(square[h], _VARIANCE_FLOOR))) * e[h]
    return z


@compiled
def _finish(z: Array, scale: Number) -> None:
    for i in range(z.shape[0]):
        if scale == 0.0:
            normalise(z[i], z[i])
        else:
            for c in range(z.shape[1]):
                z[i, c] *= np.float32(scale)


def committee_logits(means: Sequence[Array], bank: Sequence[Array], x: Array, scale: float) -> Array:
    """Return the logits [B, S, C] of inputs x [B, D].

    Args:
        means: tanh lambda of each layer [fan_in, fan_out].
        bank: standard normal numbers per layer [S, fan_out].
        x: inputs [B, D], float32.
        scale: logits = scale z; 0 means the published norm on the logits.

    Example:
        >>> means, bank = [np.full((2, 3), 0.5, np.float32)], [np.zeros((4, 3), np.float32)]
        >>> committee_logits(means, bank, np.ones((1, 2), np.float32), 1.0)[0, 0].tolist()
        [1.0, 1.0, 1.0]
    """
    # In tiles, so that all in between stays in the cache; no row depends on its neighbours.
    tiles = [_tile_logits(means, bank, x[first : first + _TILE], scale) for first in range(0, len(x), _TILE)]
    if not tiles:
        return np.empty((0, len(bank[0]), means[-1].shape[1]), np.float32)
    return tiles[0] if len(tiles) == 1 else np.concatenate(tiles)


def _tile_logits(means: Sequence[Array], bank: Sequence[Array], x: Array, scale: float) -> Array:
    votes = len(bank[0])
    z = perturbed(*sums(means[0], x), bank[0], votes)
    for t, noise in zip(means[1:], bank[1:], strict=True):
        h = gate_forward(z, z, np.empty(len(z), np.float32))
        z = perturbed(*gated_sums(t, h), noise, 1)
    _finish(z, scale)
    logits: Array = z.reshape(len(x), votes, -1)
    return logits
