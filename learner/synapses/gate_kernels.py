"""Compiled kernels of the gates: sums over random signs, and the k largest of them.

Every sum adds its inputs in their order, row by row, so an input's gates do not depend on what else is in the batch.

Shapes: B batch, D inputs, U units.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.sum_kernels import lanes_of_a_sum
from learner.synapses.activation_kernels import normalise
from learner.synapses.moment_kernels import Array

Signs = NDArray[np.int8]

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


@compiled
def signed_sums(signs: Signs, x: Array) -> Array:
    """Return x s [B, U] of inputs x [B, D] and signs s [D, U], each -1 or 1; an input of 0 costs nothing."""
    z = np.zeros((x.shape[0], signs.shape[1]), np.float32)
    for b in range(x.shape[0]):
        for d in range(x.shape[1]):
            if x[b, d] != _ZERO:
                _add(x[b, d], signs[d], z[b])
    return z


@compiled
def _add(x: Number, signs: Signs, z: Array) -> None:
    for u in range(z.size):
        z[u] += x * signs[u]


@compiled
def normed_sums(signs: Signs, x: Array) -> Array:
    """Return `signed_sums`, each row less its mean and over its deviation."""
    z: Array = signed_sums(signs, x)
    squares, lanes = np.empty(z.shape[1], np.float32), lanes_of_a_sum()
    for b in range(z.shape[0]):
        normalise(z[b], z[b], squares, lanes)
    return z


@compiled
def winners(z: Array, count: int) -> Array:
    """Return 1 for the `count` largest of each row of z [B, U], else 0; of equals the first win."""
    code = np.zeros(z.shape, np.float32)
    for b in range(z.shape[0]):
        _win(z[b], count, code[b])
    return code


@compiled
def _win(z: Array, count: int, code: Array) -> None:
    least = np.partition(z, z.size - count)[z.size - count]
    free = count
    for u in range(z.size):
        if z[u] > least:
            code[u] = _ONE
            free -= 1
    for u in range(z.size):
        if free > 0 and z[u] == least:
            code[u] = _ONE
            free -= 1
