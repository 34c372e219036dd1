"""Work in the background pauses while somebody waits, but never for long."""

from __future__ import annotations

from threading import Event, Thread
from time import monotonic

import pytest

from service.core.precedence import Precedence

LONG = 30.0


def test_where_nobody_waits_nobody_is_waited_for() -> None:
    begin = monotonic()
    Precedence().give_way(LONG)
    assert monotonic() - begin < LONG / 2


def test_work_goes_on_once_the_last_of_those_who_waited_is_served() -> None:
    precedence, goes_on = Precedence(), Event()

    def work() -> None:
        precedence.give_way(LONG)
        goes_on.set()

    with precedence.first():
        with precedence.first():
            background = Thread(target=work)
            background.start()
        assert not goes_on.wait(0.1)
    assert goes_on.wait(LONG / 2)
    background.join()


def test_it_waits_no_longer_than_said_and_a_failure_ends_the_wait_too() -> None:
    precedence = Precedence()
    with precedence.first():
        precedence.give_way(0.01)
    with pytest.raises(ZeroDivisionError), precedence.first():
        1 / 0  # noqa: B018 - whatever fails
    begin = monotonic()
    precedence.give_way(LONG)
    assert monotonic() - begin < LONG / 2


def test_what_is_asked_for_next_is_waited_for_but_no_longer_than_it_was_expected() -> None:
    precedence, begin = Precedence(), monotonic()
    with precedence.first(next_within=0.2):
        pass
    with precedence.first():  # somebody else, of whom nothing is expected, takes nothing away
        pass
    precedence.give_way(LONG)
    assert 0.2 <= monotonic() - begin < LONG / 2
    with precedence.first(next_within=LONG):
        pass
    begin = monotonic()
    precedence.give_way(0.01)
    assert 0.01 <= monotonic() - begin < LONG / 2
