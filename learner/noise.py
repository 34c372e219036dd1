"""Counter-based noise: the same key always gives the same numbers.

Every random number of the learner is a pure function of ``(seed, counter, purpose)``, so a replay of the label log
draws exactly the noise of the first run, whatever was computed in between. The generator is Philox 4x64-10
(Salmon et al., *Parallel random numbers: as easy as 1, 2, 3*, 2011); only its raw 64-bit words are used, because
their values are fixed by the algorithm while the distributions built on them may change between library versions.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_SCALE = 2.0**-53


class Purpose(IntEnum):
    """What noise is drawn for; two purposes never share a number."""

    START = 1
    LEARN = 2
    SCORE = 3
    ASK = 4
    REMEMBER = 5
    REPLAY = 6
    EXPORT = 7
    GATE = 8
    GATE_LEARN = 9
    GATE_SCORE = 10
    ENCODE = 11
    OVERLAP = 12
    ROUND = 13


def uniform(seed: int, counter: int, purpose: Purpose, size: int, *, lane: int = 0) -> NDArray[np.float64]:
    """Return `size` uniform numbers in the open interval (0, 1).

    u = (floor(word / 2^11) + 1/2) / 2^53, one Philox word each, key (seed, counter), block (purpose, lane).

    Args:
        seed: the stream's seed, 0 … 2^64 - 1.
        counter: what the draw belongs to, for example the `seq` of a label, 0 … 2^64 - 1.
        purpose: what the draw is for.
        size: how many numbers, >= 0.
        lane: tells draws of one purpose apart, for example by layer, 0 … 2^64 - 1.

    Returns:
        float64 array [size].

    Example:
        >>> uniform(7, 1, Purpose.LEARN, 3).round(6).tolist() == uniform(7, 1, Purpose.LEARN, 3).round(6).tolist()
        True
        >>> float(uniform(7, 1, Purpose.LEARN, 1)[0]) == float(uniform(7, 2, Purpose.LEARN, 1)[0])
        False
    """
    key = np.array([seed, counter], dtype=np.uint64)
    block = np.array([0, 0, lane, int(purpose)], dtype=np.uint64)
    words = np.random.Philox(key=key, counter=block).random_raw(size)
    return ((np.asarray(words, dtype=np.uint64) >> np.uint64(11)).astype(np.float64) + 0.5) * _SCALE


def normal(seed: int, counter: int, purpose: Purpose, size: int, *, lane: int = 0) -> NDArray[np.float64]:
    """Return `size` standard normal numbers, by Box and Muller from `uniform`.

    e = sqrt(-2 log u1) * cos(2 pi u2), two uniform numbers each.

    Args:
        seed: the stream's seed, 0 … 2^64 - 1.
        counter: what the draw belongs to, 0 … 2^64 - 1.
        purpose: what the draw is for.
        size: how many numbers, >= 0.
        lane: tells draws of one purpose apart, 0 … 2^64 - 1.

    Returns:
        float64 array [size].

    Example:
        >>> bool(abs(normal(7, 1, Purpose.SCORE, 10_000).std() - 1) < 0.03)
        True
    """
    u = uniform(seed, counter, purpose, 2 * size, lane=lane)
    return np.asarray(np.sqrt(-2.0 * np.log(u[:size])) * np.cos(2.0 * np.pi * u[size:]), dtype=np.float64)
