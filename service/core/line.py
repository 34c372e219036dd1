"""Who waits for queries: served in the order in which they came, so that nobody who waits is passed over.

News goes to the first in line alone. Who finds nothing tells the next one whether there is anything at all: the next
one tries only what those before cannot have.
"""

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
        self._worth_it = False

    @property
    def first(self) -> bool:
        """Whether nobody came before."""
        return self._line.turns[0] is self

    @property
    def last(self) -> bool:
        """Whether nobody came after."""
        return self._line.turns[-1] is self

    async def comes(self, seconds: float | None) -> bool | None:
        """Wait for this one's turn; return whether there is anything to try for, None where it did not come in time."""
        try:
            await asyncio.wait_for(self._called.wait(), seconds)
        except TimeoutError:
            return None
        worth_it, self._worth_it = self._worth_it, False
        self._called.clear()
        return worth_it

    def call(self, *, worth_it: bool) -> None:
        """Tell this one that it is its turn, and whether there is anything to try for."""
        self._worth_it = self._worth_it or worth_it
        self._called.set()

    def pass_on(self, *, worth_it: bool) -> None:
        """Tell the next one."""
        behind = self._line.turns.index(self) + 1
        for turn in self._line.turns[behind : behind + 1]:
            turn.call(worth_it=worth_it)

    @property
    def pending(self) -> bool:
        """Whether it is this one's turn, and it has not heard of it."""
        return self._called.is_set()


class Line:
    """Those who wait for the queries of one stream, in one process; only its event loop may use it."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    @contextmanager
    def join(self) -> Iterator[Turn]:
        """Stand at the end of the line until the block ends; who then comes first may try."""
        turn = Turn(self)
        self.turns.append(turn)
        self.news()
        try:
            yield turn
        finally:
            if turn.first or turn.pending:
                turn.pass_on(worth_it=True)
            self.turns.remove(turn)

    def news(self) -> None:
        """There may be queries: the first in line may try."""
        for turn in self.turns[:1]:
            turn.call(worth_it=True)


Lines = defaultdict[str, Line]
"""The line of each stream, by its name."""
