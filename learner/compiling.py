"""How kernels are compiled: the one place that says what keeps their bits the same from run to run."""

from __future__ import annotations

from typing import Any

from numba import njit

Number = Any
"""A scalar inside a kernel: the compiler fixes its type from the call."""


def compiled(function: Any) -> Any:
    """Return `function` compiled, with its machine code cached on disk.

    No reassociation of sums (fastmath off) and one thread, so a kernel repeats to the bit; division follows IEEE 754;
    the interpreter's lock is released, so that scoring and learning run side by side.

    Example:
        >>> compiled(lambda x: x + 1)(1)
        2
    """
    return njit(cache=function.__name__ != "<lambda>", fastmath=False, error_model="numpy", nogil=True)(function)
