"""Who goes first: while a person waits for a question or for an answer to be taken, work in the background pauses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic

AT_MOST_SECONDS = 0.02
"""So long each piece of work in the background waits for those who wait for a question or for an answer to be taken."""

NEXT_SECONDS = 0.005
"""So soon after an answer was taken its person asks for the next question: work in the background waits for that, too.

It would have begun just now, and be in the middle of it then."""


class Precedence:
    """Knows whether somebody waits in this process, or is about to. Any thread may use it."""

    def __init__(self) -> None:
        self._waiting = 0
        self._expected_until = 0.0
        self._changed = Condition()

    @contextmanager
    def first(self, *, next_within: float = 0.0) -> Iterator[None]:
        """Let what is done in the block go first, and what whoever waits for it asks for next, so soon after it."""
        with self._changed:
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                if next_within:
                    self._expected_until = max(self._expected_until, monotonic() + next_within)
                if not self._waiting:
                    self._changed.notify_all()

    def give_way(self, seconds: float = AT_MOST_SECONDS) -> None:
        """Return once nobody waits and nobody is expected, at the latest after so many seconds."""
        latest = monotonic() + seconds
        with self._changed:
            while (left := min(latest, math.inf if self._waiting else self._expected_until) - monotonic()) > 0:
                self._changed.wait(left)
