"""Who waits is served in the order of coming, each in turn, and nobody's leaving stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.line import Line


async def stand(line: Line, serve: Callable[[], bool], served: list[int], number: int, *, tries: int) -> None:
    """Wait until served, or give up after so many tries."""
    with line.join() as turn:
        for _ in range(tries):
            if await turn.comes(5) is None:
                raise AssertionError("never called")
            if serve():
                served.append(number)
                turn.pass_on(worth_it=True)
                return
            turn.pass_on(worth_it=True)


def run(work: Awaitable[None]) -> None:
    async def main() -> None:
        await work

    asyncio.run(main())


def test_each_piece_of_news_serves_the_one_who_came_first() -> None:
    async def work() -> None:
        line, stock, served = Line(), [0], []

        def serve() -> bool:
            stock[0] -= 1
            return stock[0] >= 0 or bool(stock.__setitem__(0, 0))

        people = [asyncio.create_task(stand(line, serve, served, n, tries=99)) for n in range(5)]
        await asyncio.sleep(0)
        for expected in range(5):
            stock[0] = 1
            line.news()
            await asyncio.wait_for(people[expected], 5)
            assert served == list(range(expected + 1))
        assert line.turns == []

    run(work())


@settings(deadline=None)
@given(patience=st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_whoever_stays_is_called_however_many_leave(patience: list[int]) -> None:
    async def work() -> None:
        line, served = Line(), []
        people = [
            asyncio.create_task(stand(line, lambda: False, served, n, tries=tries)) for n, tries in enumerate(patience)
        ]
        stays = asyncio.create_task(stand(line, lambda: not any(map(alive, people)), served, 99, tries=999))
        while not stays.done():
            line.news()
            await asyncio.sleep(0.001)
        await stays
        assert served == [99]

    def alive(task: asyncio.Task[None]) -> bool:
        return not task.done()

    run(work())
