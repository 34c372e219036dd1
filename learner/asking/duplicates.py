"""What is nearly the same as something asked already: inputs whose binary codes differ in few bits.

Shapes: Z bits of a code, B = ceil(Z/8) bytes of a packed one, N codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Packed = NDArray[np.uint8]
"""A code [B], or N of them [N, B], 8 bits in a byte."""

LEAST_BITS = 128
"""A shorter code tells too few inputs apart: nothing is taken as near to anything."""

COMPARED = 256
"""The newest questions that an input is compared with."""


def packed(code: NDArray[np.uint8]) -> Packed:
    """Return a code [Z] of 0 and 1 in bytes [B]; empty where Z < LEAST_BITS.

    Example:
        >>> packed(np.ones(128, np.uint8)).tolist() == [255] * 16, packed(np.ones(127, np.uint8)).tolist()
        (True, [])
    """
    return np.packbits(code) if len(code) >= LEAST_BITS else np.empty(0, np.uint8)


def is_near(code: Packed, others: Packed, radius: float) -> bool:
    """Return whether one of the others is within `radius` of a code.

    With |a| the set bits of a and d the Hamming distance, a and b are near where::

        d(a, b) <= radius · (|a| + |b|)/2

    so that a share of what is there counts, however long the code: pictures and texts set few of many bits.

    Args:
        code: packed [B].
        others: packed [N, B].
        radius: 0 … 1; 0: only equal codes are near.

    Raises:
        ValueError: where `radius` is out of 0 … 1, or codes are of different lengths.

    Source:
        Sørensen, 1948, and Dice, 1945: d/(|a| + |b|) is one minus their coefficient.

    Example:
        >>> a, b = np.zeros(128, np.uint8), np.zeros(128, np.uint8)
        >>> a[:20], b[1:21] = 1, 1
        >>> is_near(packed(a), packed(b)[None], 0.1), is_near(packed(a), packed(b)[None], 0.05)
        (True, False)
    """
    if not 0.0 <= radius <= 1.0:
        raise ValueError(f"radius must be in 0 … 1, got {radius}")
    if code.shape[-1] != others.shape[-1]:
        raise ValueError(f"codes must be {others.shape[-1]} bytes long, as the others, got {code.shape[-1]}")
    if code.size == 0 or len(others) == 0:
        return False
    apart = np.bitwise_count(others ^ code).sum(axis=1, dtype=np.int64)
    there = np.bitwise_count(others).sum(axis=1, dtype=np.int64) + np.bitwise_count(code).sum(dtype=np.int64)
    return bool((2 * apart <= radius * there).any())


class Asked(NamedTuple):
    """The codes of the newest questions, oldest first; at most `COMPARED`."""

    codes: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, codes: Iterable[bytes]) -> Asked:
        """Return the last `COMPARED` of packed codes; empty ones are left out.

        Example:
            >>> Asked.of([b"", b"ab", b"cd"]).codes
            (b'ab', b'cd')
        """
        return cls(tuple(code for code in codes if code)[-COMPARED:])

    def has_near(self, code: bytes, radius: float) -> bool:
        """Return whether a packed code is near to one of those asked; a radius of 0 compares nothing.

        Example:
            >>> asked = Asked().with_one(packed(np.ones(128, np.uint8)).tobytes())
            >>> asked.has_near(packed(np.ones(128, np.uint8)).tobytes(), 0.1)
            True
        """
        same = [other for other in self.codes if len(other) == len(code)]
        if not code or not same or radius == 0.0:
            return False
        others = np.frombuffer(b"".join(same), np.uint8).reshape(len(same), -1)
        return is_near(np.frombuffer(code, np.uint8), others, radius)

    def with_one(self, code: bytes) -> Asked:
        """Return the codes with that of one more question."""
        return Asked.of((*self.codes, code))
