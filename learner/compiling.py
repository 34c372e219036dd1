"""How kernels are compiled: the one place that says what keeps their bits the same from run to run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

Number = Any
"""A scalar inside a kernel: the compiler fixes its type from the call."""


def compiled(function: Any) -> Any:
    """Return `function` compiled, with its machine code cached on disk until any kernel's source changes.

    No reassociation of sums (fastmath off) and one thread, so a kernel repeats to the bit; division follows IEEE 754;
    the interpreter's lock is released, so that scoring and learning run side by side.

    Example:
        >>> compiled(lambda x: x + 1)(1)
        2
    """
    made: Any = njit(fastmath=False, error_model="numpy", nogil=True)(function)
    if function.__name__ != "<lambda>":
        made._cache = _KernelCache(function)  # noqa: SLF001 - what `njit(cache=True)` does
    return made


class _KernelCache(FunctionCache):
    """Machine code on disk. A kernel holds those that it calls, so it is stale where any of their sources is newer.

    The compiler's own cache looks at the kernel's own file alone.
    """

    def __init__(self, function: Any) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        stamp = self._impl.locator.get_source_stamp(), digest()
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, stamp)  # type: ignore[no-untyped-call]


@cache
def digest() -> str:
    """Return the SHA-256 of all sources of kernels, and of this file."""
    found = hashlib.sha256()
    for source in sorted(_sources(files("learner")), key=lambda source: source.name):
        found.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return found.hexdigest()


def _sources(folder: Traversable) -> Iterator[Traversable]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _sources(one)
        elif one.name.endswith("kernels.py") or one.name == "compiling.py":
            yield one
