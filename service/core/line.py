"""Who waits for queries: served in the order in which they came, so that nobody who waits is passed over."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Turn:
    """One place in a line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._called = asyncio.Event()

    @property
    def first(self) -> bool:
        """Whether nobody came before."""
        return self._line.turns[0] is self

    @property
    def last(self) -> bool:
        """Whether nobody came after."""
        return self._line.turns[-1] is self

    async def comes(self, seconds: float | None) -> bool:
        """Wait until it is this one's turn to try; return whether it came in time."""
        try:
            await asyncio.wait_for(self._called.wait(), seconds)
        except TimeoutError:
            return False
        self._called.clear()
        return True

    def call(self) -> None:
        """Let this one try."""
        self._called.set()

    def pass_on(self) -> None:
        """Let the next one try."""
        turns = self._line.turns
        behind = turns.index(self) + 1
        if behind < len(turns):
            turns[behind].call()


class Line:
    """Those who wait for the queries of one stream, in one process; only its event loop may use it."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    @contextmanager
    def join(self) -> Iterator[Turn]:
        """Stand at the end of the line until the block ends; then the next one may try."""
        turn = Turn(self)
        self.turns.append(turn)
        self.news()
        try:
            yield turn
        finally:
            turn.pass_on()
            self.turns.remove(turn)

    def news(self) -> None:
        """There may be queries: the first tries, and whoever tried lets the next one try."""
        if self.turns:
            self.turns[0].call()


Lines = defaultdict[int, Line]
"""The line of each stream."""
