"""The best of a queue, held for whoever comes next: only where somebody does, and no longer than it is the best."""

from __future__ import annotations

import pytest

from service.core import heads
from service.core.heads import LASTS_SECONDS, OUTLIVES_SECONDS, WANTED_SECONDS, Head, Heads
from service.events import Topic, Wakeup
from service.storage.queue import Offered, Place

HEAD = Head(7, [Offered(f"q_{n}", n, "uncertain", 1.0 - n / 10, None) for n in range(3)], Place(0.5, "q_9"))


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(heads, "monotonic", made)
    return made


@pytest.fixture
def known(time: Time) -> Heads:
    """Return heads of one stream, whose queue somebody works on."""
    made = Heads()
    made.asked(1, "s")
    made.put(1, HEAD, 0)
    return made


def test_a_head_is_wanted_only_where_somebody_has_just_leased(time: Time) -> None:
    known = Heads()
    assert known.wanted(1) is None
    known.put(1, HEAD, 0)
    assert known.of(1, 7) is None
    known.asked(1, "s")
    assert (known.wanted(1), known.wanted(2), known.stream("s"), known.stream("t")) == (0, None, 1, None)
    time.now += WANTED_SECONDS + 0.01
    assert known.wanted(1) is None


def test_a_head_serves_its_version_for_a_while_and_the_next_one_until_that_has_its_own(
    known: Heads, time: Time
) -> None:
    time.now += OUTLIVES_SECONDS - 0.01
    assert known.of(1, 7) == known.of(1, 8) == HEAD
    time.now += 0.02
    assert known.of(1, 7) == HEAD
    assert known.of(1, 8) is None
    time.now += LASTS_SECONDS
    assert known.of(1, 7) is None


def test_what_was_leased_is_left_out_and_a_head_that_is_used_up_serves_nobody(known: Heads) -> None:
    known.taken(1, {"q_1"})
    known.taken(2, {"q_0"})
    head = known.of(1, 7)
    assert head is not None
    assert [row.id for row in head.best] == ["q_0", "q_2"]
    known.taken(1, {"q_0", "q_2"})
    assert known.of(1, 7) is None


def test_a_queue_that_grows_drops_its_head_and_one_that_was_looked_at_before(known: Heads) -> None:
    before = known.wanted(1)
    assert before is not None
    known.hear(Wakeup(Topic.QUEUE_GREW, 2))
    known.hear(Wakeup(Topic.LOG_GREW, 1))
    assert known.of(1, 7) == HEAD
    known.hear(Wakeup(Topic.QUEUE_GREW, 1))
    assert known.of(1, 7) is None
    known.put(1, HEAD, before)
    assert known.of(1, 7) is None
    known.put(1, HEAD, before + 1)
    assert known.of(1, 7) == HEAD


def test_a_stream_that_is_gone_is_forgotten_and_another_may_have_its_name(known: Heads) -> None:
    known.asked(2, "s")
    known.put(2, HEAD, 0)
    known.forget(1)
    assert (known.of(1, 7), known.stream("s"), known.of(2, 7)) == (None, 2, HEAD)
    known.forget(2)
    assert (known.of(2, 7), known.stream("s")) == (None, None)
