"""The generator of `noise`, compiled: the same Philox words without building a generator object for every draw."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled

# Constants of Philox 4x64 (Salmon et al., 2011): two multipliers and two increments of the key.
_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_LOW, _HALF_WORD, _DROPPED = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(11)
_SCALE = 2.0**-53
_ROUNDS = 10


@compiled
def _high(a: Number, b: Number) -> Number:
    """Return the upper 64 bits of the product of two 64-bit words."""
    a0, a1, b0, b1 = a & _LOW, a >> _HALF_WORD, b & _LOW, b >> _HALF_WORD
    middle = a1 * b0 + ((a0 * b0) >> _HALF_WORD)
    other = a0 * b1 + (middle & _LOW)
    return a1 * b1 + (middle >> _HALF_WORD) + (other >> _HALF_WORD)


@compiled
def words(seed: Number, counter: Number, purpose: Number, lane: Number, size: int) -> NDArray[np.uint64]:
    """Return the first `size` words of Philox 4x64-10 with key (seed, counter) and block (0, 0, lane, purpose).

    The same words as `numpy.random.Philox(key=..., counter=...).random_raw(size)`; all arguments are uint64 but size.
    """
    out = np.empty((size + 3) // 4 * 4, np.uint64)
    for block in range(out.size // 4):
        c0, c1, c2, c3 = np.uint64(block + 1), np.uint64(0), lane, purpose
        k0, k1 = seed, counter
        for _ in range(_ROUNDS):
            c0, c1, c2, c3 = _high(_M1, c2) ^ c1 ^ k0, _M1 * c2, _high(_M0, c0) ^ c3 ^ k1, _M0 * c0
            k0, k1 = k0 + _W0, k1 + _W1
        out[4 * block], out[4 * block + 1], out[4 * block + 2], out[4 * block + 3] = c0, c1, c2, c3
    return out[:size]


@compiled
def uniforms(seed: Number, counter: Number, purpose: Number, lane: Number, size: int) -> NDArray[np.float64]:
    """Return `size` numbers of the open interval (0, 1), as `noise.uniform` defines them."""
    drawn = words(seed, counter, purpose, lane, size)
    out = np.empty(size, np.float64)
    for index in range(size):
        out[index] = (np.float64(drawn[index] >> _DROPPED) + 0.5) * _SCALE
    return out


@compiled
def normals(seed: Number, counter: Number, purpose: Number, lane: Number, size: int) -> NDArray[np.float64]:
    """Return `size` standard normal numbers, as `noise.normal` defines them."""
    u = uniforms(seed, counter, purpose, lane, 2 * size)
    out = np.empty(size, np.float64)
    for index in range(size):
        out[index] = math.sqrt(-2.0 * math.log(u[index])) * math.cos(2.0 * math.pi * u[size + index])
    return out
