"""Looks at the queue: the short ones in the thread of the requests, the others two at once in threads of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Barrier, BrokenBarrierError, get_ident
from time import thread_time

import pytest

from service.core.looks import SHORT_SECONDS, Looks


def long_look() -> int:
    begin = thread_time()
    while thread_time() - begin < 1.5 * SHORT_SECONDS:
        pass
    return get_ident()


def where(kinds: list[str], look: Callable[[], int], *, embedded: bool = True) -> list[bool]:
    """Return of looks one after the other whether each was taken in this thread."""

    async def run() -> list[bool]:
        looks = Looks()
        return [await looks.run(kind, look, embedded=embedded) == get_ident() for kind in kinds]

    return asyncio.run(run())


def test_a_look_whose_kind_was_short_is_taken_at_once() -> None:
    assert where(["a", "a", "b", "a", "b"], get_ident) == [False, True, False, True, True]


def test_a_look_whose_kind_took_long_goes_to_a_thread() -> None:
    assert where(["a", "a", "a"], long_look) == [False, False, False]


def test_a_look_that_grows_long_goes_to_a_thread_from_then_on() -> None:
    looks = iter([get_ident, get_ident, long_look, get_ident, get_ident])

    def next_look() -> int:
        return next(looks)()

    assert where(["a"] * 5, next_look) == [False, True, True, False, True]


def test_whoever_waits_for_a_database_elsewhere_waits_in_a_thread() -> None:
    assert where(["a", "a", "a"], get_ident, embedded=False) == [False, False, False]


def test_what_fails_says_nothing_of_how_long_its_kind_takes() -> None:
    def fail() -> int:
        raise LookupError

    async def run() -> bool:
        looks = Looks()
        for _ in range(2):
            with pytest.raises(LookupError):
                await looks.run("a", fail, embedded=True)
        return await looks.run("a", get_ident, embedded=True) == get_ident()

    assert not asyncio.run(run())


def test_two_look_at_once_and_no_more() -> None:
    def meets(barrier: Barrier) -> bool:
        try:
            barrier.wait(0.5)
        except BrokenBarrierError:
            return False
        return True

    async def run(count: int) -> list[bool]:
        looks, barrier = Looks(), Barrier(count)
        each = [looks.run(n, lambda: meets(barrier), embedded=True) for n in range(count)]
        return list(await asyncio.gather(*each))

    assert asyncio.run(run(2)) == [True, True]
    assert not any(asyncio.run(run(3)))
