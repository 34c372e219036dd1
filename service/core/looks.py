"""Where the queue is looked at for a lease: at once where that took little before, else in a thread."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from time import thread_time
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

T = TypeVar("T")

SHORT_SECONDS = 0.01
"""A look that took less of the processor's time, the last of its kind, is not worth the way to a thread and back: there
and here it waits for its turn with the interpreter, behind whatever else the service does."""

_AT_ONCE = 2
"""So many threads look at once: more would take turns with the interpreter, and all would end late."""


_KINDS = 10_000
"""More kinds than these are not remembered: streams come and go."""


class Looks:
    """Runs looks. Those of one kind take about as long as each other: of one stream, for as many queries."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(_AT_ONCE)
        self._took: dict[Hashable, float] = {}

    async def run(self, kind: Hashable, look: Callable[[], T], *, embedded: bool) -> T:
        """Run a look: in this thread if its kind is short, and the database a file, so that it waits for no network."""

        def timed() -> T:
            begin = thread_time()
            found = look()
            if len(self._took) >= _KINDS:
                self._took.clear()
            self._took[kind] = thread_time() - begin
            return found

        if embedded and self._took.get(kind, math.inf) < SHORT_SECONDS:
            return timed()
        return await anyio.to_thread.run_sync(timed, limiter=self._limiter)
