"""The arithmetic of a packed committee: whole numbers up to the logits, so that every machine finds the same gates.

The norm before a gate has no scale and no shift, and h = 1{|y| > 1}, so neither a root nor a quotient is needed. With
n sums z of one layer and c = n z - sum z::

    h = 1{n c^2 > sum c^2}

which is |z - mean| > deviation. Left out is the norm's epsilon of 1e-5, against a variance that is about as large as
the number of inputs. c is cut to its upper 23 bits, by one shift for all n, so that squares and their sum fit 64 bits.

Shapes: R rows, D inputs, H outputs, B bytes = ceil(D/8) of a packed row of weights; bit d of a row is bit d mod 8 of
byte d // 8, 1 for w = +1 and 0 for w = -1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Whole = NDArray[np.int64]
Singles = NDArray[np.float32]

STEPS = 1024
"""Steps of a quantised input in one unit; a power of two, so that scaling is exact."""

MOST = 2**20
"""The largest quantised input: inputs are cut at +-1,024."""

KEPT_BITS = 23
"""Bits of a centred sum that are squared."""

WIDEST = 2**16
"""The most outputs of a hidden layer: n times a sum of n squares of 23 bits stays below 2^63."""

_EPSILON = np.float32(1e-5)


def quantised(x: Singles) -> Whole:
    """Return x in steps of 1/1024, halves away from zero, cut to +-2^20.

    Example:
        >>> quantised(np.array([0.5, -0.0005, 5000.0], np.float32)).tolist()
        [512, -1, 1048576]
    """
    scaled = np.clip(x.astype(np.float32) * np.float32(STEPS), -MOST, MOST)
    steps: Whole = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int64)
    return steps


def weighted_sums(rows: Bytes, inputs: Whole) -> Whole:
    """Return sum_d w_d q_d [R, H] of quantised inputs [R, D], by packed weights [H, B].

    Example:
        >>> weighted_sums(np.array([[0b01]], np.uint8), np.array([[5, 3]])).tolist()
        [[2]]
    """
    signs = 2.0 * np.unpackbits(rows, axis=1, count=inputs.shape[1], bitorder="little") - 1.0
    # Whole numbers far below 2^53: exact in float64, in whatever order they are added.
    return (inputs.astype(np.float64) @ signs.T).astype(np.int64)


def open_gates(sums: Whole) -> Bytes:
    """Return the gates of sums [R, H], packed as rows of weights are, [R, ceil(H/8)].

    Example:
        >>> np.unpackbits(open_gates(np.array([[0, 1, 9, -1]])), count=4, bitorder="little").tolist()
        [0, 0, 1, 0]
    """
    size = sums.shape[1]
    apart = np.abs(size * sums - sums.sum(axis=1, keepdims=True))
    most = apart.max(axis=1, keepdims=True)
    shift = (most >> np.arange(64 - KEPT_BITS) >= 2**KEPT_BITS).sum(axis=1, keepdims=True)
    squares = (apart >> shift) ** 2
    return np.packbits(size * squares > squares.sum(axis=1, keepdims=True), axis=1, bitorder="little")


def gated_sums(rows: Bytes, gates: Bytes) -> Whole:
    """Return sum_d w_d h_d [R, H] of packed gates [R, B], by packed weights [H, B]: 2 |w and h| - |h|.

    Example:
        >>> gated_sums(np.array([[0b0011]], np.uint8), np.array([[0b0111]], np.uint8)).tolist()
        [[1]]
    """
    both = np.bitwise_count(gates[:, None, :] & rows[None]).sum(axis=2, dtype=np.int64)
    sums: Whole = 2 * both - np.bitwise_count(gates).sum(axis=1, dtype=np.int64)[:, None]
    return sums


def finished(sums: Whole, unit: float, scale: float) -> Singles:
    """Return the logits [R, C], float32, of the last layer's sums [R, C].

    Args:
        sums: whole numbers.
        unit: what 1 of them stands for.
        scale: logits = scale unit sums; 0 means the norm of unit sums.

    Example:
        >>> finished(np.array([[4, -8]]), 0.5, 2.0).tolist()
        [[4.0, -8.0]]
    """
    if scale != 0.0:
        return sums.astype(np.float32) * np.float32(scale * unit)
    apart = sums.shape[1] * sums - sums.sum(axis=1, keepdims=True)
    centred = apart.astype(np.float32) * np.float32(unit / sums.shape[1])
    variance = (centred * centred).mean(axis=1, keepdims=True, dtype=np.float32)
    normed: Singles = centred / np.sqrt(variance + _EPSILON)
    return normed
