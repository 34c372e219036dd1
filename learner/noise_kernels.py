"""The generator of `noise`, compiled: the same Philox words without building a generator object for every draw."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from learner.compiling import Number, compiled

# Constants of Philox 4x64 (Salmon et al., 2011): two multipliers and two increments of the key.
_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_DROPPED = np.uint64(11)
_SCALE = 2.0**-53
_ROUNDS = 10

_MANTISSA, _OF_ONE = np.uint64(2**52 - 1), np.uint64(0x3FF0000000000000)
_PLACES, _OF_TWO_TO_52 = np.uint64(52), np.uint64(0x4330000000000000)
_BIAS, _ROOT = 2.0**52 + 1023.0, math.sqrt(2.0)
# log 2 in two parts: the first has so few bits that its multiples are exact.
_NATS, _MORE_NATS = 0.6931471803691238, 1.9082149292705877e-10
_ARTANH = tuple(1.0 / (2 * k + 1) for k in range(10))
_SINE = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(12))
_DOUBT = 1e-13


def _upper_word(_typing: Any, _a: Any, _b: Any) -> Any:
    """Return the upper 64 bits of the product of two 64-bit words: one instruction, where Python knows none."""

    def generate(_context: Any, builder: Any, _signature: Any, words: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(word, wide) for word in words))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


_high: Any = intrinsic(_upper_word)


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
def normals(seed: Number, counter: Number, purpose: Number, lane: Number, size: int) -> NDArray[np.float32]:
    """Return `size` standard normal numbers, as `noise.normal` defines them, rounded to float32.

    By series for logarithm and cosine that several numbers go through at once, right to 1e-14. Where a number is so
    near the middle between two of float32 that this may not tell which it is, the library works it out once more.
    """
    u = uniforms(seed, counter, purpose, lane, 2 * size)
    near, drawn, doubtful = _radii(u[:size]), np.empty(size, np.float32), 0
    for n in range(size):
        near[n] *= _cosine(u[size + n])
        drawn[n] = near[n]
        doubtful += int(np.float32(near[n] - _DOUBT) != np.float32(near[n] + _DOUBT))
    if doubtful:
        for n in range(size):
            if np.float32(near[n] - _DOUBT) != np.float32(near[n] + _DOUBT):
                drawn[n] = math.sqrt(-2.0 * math.log(u[n])) * math.cos(2.0 * math.pi * u[size + n])
    return drawn


@compiled
def _radii(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sqrt(-2 log u) of numbers in (0, 1).

    log u = e log 2 + log m with m in (sqrt(1/2), sqrt(2)]; log m = 2 artanh s = 2 (s + s^3/3 + …), s = (m - 1)/(m + 1).
    """
    bits, mantissas, exponents = u.view(np.uint64), np.empty(u.size, np.uint64), np.empty(u.size, np.uint64)
    for n in range(u.size):
        mantissas[n] = (bits[n] & _MANTISSA) | _OF_ONE
        exponents[n] = (bits[n] >> _PLACES) | _OF_TWO_TO_52
    m, e, radii = mantissas.view(np.float64), exponents.view(np.float64), np.empty(u.size, np.float64)
    for n in range(u.size):
        upper = m[n] > _ROOT
        mantissa, exponent = 0.5 * m[n] if upper else m[n], e[n] - (_BIAS - 1.0 if upper else _BIAS)
        s = (mantissa - 1.0) / (mantissa + 1.0)
        z = s * s
        series = _ARTANH[9]
        for k in range(8, -1, -1):
            series = series * z + _ARTANH[k]
        radii[n] = math.sqrt(-2.0 * (exponent * _NATS + (exponent * _MORE_NATS + 2.0 * s * series)))
    return radii


@compiled
def _cosine(turns: Number) -> Number:
    """Return cos(2 pi turns), turns in (0, 1): the sine of 1/4 - |turns - round(turns)| turns, by its series."""
    x = 2.0 * math.pi * (0.25 - min(turns, 1.0 - turns))
    z = x * x
    series = _SINE[11]
    for k in range(10, -1, -1):
        series = series * z + _SINE[k]
    return x * series
