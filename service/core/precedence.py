"""Who goes first: while a person waits for a question or for an answer to be taken, work in the background pauses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

AT_MOST_SECONDS = 0.02
"""So long each piece of work in the background waits for those who wait for a question or for an answer to be taken."""


class Precedence:
    """Knows whether somebody waits in this process. Any thread may use it."""

    def __init__(self) -> None:
        self._waiting = 0
        self._changed = Condition()

    @contextmanager
    def first(self) -> Iterator[None]:
        """Let what is done in the block go first."""
        with self._changed:
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                if not self._waiting:
                    self._changed.notify_all()

    def give_way(self, seconds: float = AT_MOST_SECONDS) -> None:
        """Return once nobody waits, at the latest after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, seconds)
