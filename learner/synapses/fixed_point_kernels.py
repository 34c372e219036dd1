"""The compiled rounding of synapses of 16 bits, several at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.noise_kernels import words
from learner.synapses.moment_kernels import Array

PER_UNIT = 4096
"""Steps to one of lambda."""
MOST = 32_767
"""The most steps either way: lambda up to +-8."""

Steps = NDArray[np.int16]

_PER_UNIT, _MOST = np.float32(PER_UNIT), np.float32(MOST)
# What is left of a step, in 16 bits below it: the whole of a step and the greatest draw still are an int32.
_BELOW, _BITS, _DRAWN = np.float32(65_536.0), np.int32(16), np.uint32(16)
# As in the finaliser of MurmurHash3, 32 bits: every bit of what goes in moves half of those that come out.
_SPREAD, _FIRST, _SECOND = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_THIRTEEN, _SIXTEEN, _HALF = np.uint32(13), np.uint32(16), np.uint64(32)


@compiled
def fill_rounded(lam: Array, key: tuple[Number, Number, Number, Number], out: Steps) -> None:
    """Write lambda [N] in steps, rounded at random.

    Synapse n's draw is a hash of n and of one word of the generator, so that no draw waits for another.

    Args:
        lam: float32 [N].
        key: seed, counter, purpose and lane, uint64.
        out: written.
    """
    word = words(key[0], key[1], key[2], key[3], 1)[0]
    first, second = np.uint32(word), np.uint32(word >> _HALF)
    for n in range(lam.size):
        drawn = np.uint32(np.uint32(np.uint32(n) * _SPREAD) + first)
        drawn = np.uint32(np.uint32(drawn ^ np.uint32(drawn >> _SIXTEEN)) * _FIRST)
        drawn = np.uint32(drawn ^ second)
        drawn = np.uint32(np.uint32(drawn ^ np.uint32(drawn >> _THIRTEEN)) * _SECOND)
        fine = np.int32(min(max(lam[n] * _PER_UNIT, -_MOST), _MOST) * _BELOW)
        out[n] = np.int16(np.int32(fine + np.int32(drawn >> _DRAWN)) >> _BITS)
