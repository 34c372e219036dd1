"""Random sign projections: bits that see many inputs at once, where a thermometer's bit sees one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from learner.noise import Purpose, uniform

_STEPS = np.float32(64.0)
"""Steps of an input in one unit: sums of whole numbers below 2^24 are exact in float32, in any order."""


@lru_cache(maxsize=16)
def signs(rows: int, columns: int, *, balanced: bool) -> NDArray[np.float32]:
    """Return a fixed matrix R of +-1 [rows, columns]; row r depends on its own index and `columns` alone.

    Args:
        rows: how many projections, >= 1.
        columns: D, how many inputs each sees, >= 1.
        balanced: every row has floor(D/2) of +1, so that its bit does not follow the inputs' common level, such as a
            picture's brightness; otherwise each sign is a fair coin of its own.

    Example:
        >>> signs(2, 6, balanced=True).sum(axis=1).tolist()
        [0.0, 0.0]
    """
    made = np.empty((rows, columns), np.float32)
    for row in range(rows):
        u = uniform(0, row, Purpose.ENCODE, columns)
        plus = np.argsort(u, kind="stable") < columns // 2 if balanced else u < 0.5
        made[row] = np.where(plus, 1.0, -1.0)
    made.setflags(write=False)
    return made


def projected(x: NDArray[np.float32], rows: int, *, balanced: bool) -> NDArray[np.uint8]:
    """Return the bits 1{R q > 0} [rows], q the inputs x [D] in steps of 1/64.

    Bits repeat exactly where |x| <= 4 and D <= 65,536; they keep angles: two inputs at angle a differ in a share of
    about a/pi of the bits.

    Source:
        Charikar, *Similarity estimation techniques from rounding algorithms*, 2002, for normal rows; Achlioptas, 2003,
        for rows of +-1.

    Example:
        >>> x = np.arange(6, dtype=np.float32) / 6
        >>> (projected(x, 8, balanced=True) + projected(-x, 8, balanced=True)).tolist()
        [1, 1, 1, 1, 1, 1, 1, 1]
    """
    steps = np.rint(x * _STEPS)
    bits: NDArray[np.uint8] = (signs(rows, len(x), balanced=balanced) @ steps > 0.0).astype(np.uint8)
    return bits
