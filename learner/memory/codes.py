"""What a memory may be given: codes of the right length, of zeros and ones, and classes that are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.memory.likelihood_kernels import Bytes


def fit(codes: Bytes, bits: int) -> Bytes:
    """Return codes [R, Z] as kernels take them.

    Raises:
        ValueError: where they are not rows of `bits` bytes.

    Example:
        >>> fit(np.zeros((1, 3), np.uint8), 4)
        Traceback (most recent call last):
        ...
        ValueError: codes must have 4 bits of uint8, got (1, 3) of uint8
    """
    if codes.ndim != 2 or codes.shape[1] != bits or codes.dtype != np.uint8:
        raise ValueError(f"codes must have {bits} bits of uint8, got {codes.shape} of {codes.dtype}")
    return codes


def binary(codes: Bytes) -> None:
    """Refuse codes that hold anything but 0 and 1.

    Raises:
        ValueError: where one does.
    """
    if codes.size and codes.max() > 1:
        raise ValueError(f"codes must be of 0 and 1, got {codes.max()}")


def known(indices: NDArray[np.int64] | int, classes: int) -> None:
    """Refuse class indices that are not in 0 … C - 1.

    Raises:
        ValueError: where one is not.

    Example:
        >>> known(-1, 2)
        Traceback (most recent call last):
        ...
        ValueError: a class index must be in 0 … 1, got -1
    """
    low, high = (indices, indices) if isinstance(indices, int) else (indices.min(), indices.max())
    if not 0 <= low <= high < classes:
        raise ValueError(f"a class index must be in 0 … {classes - 1}, got {low if low < 0 else high}")
