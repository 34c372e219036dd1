"""What is offered: the best by the current model, the long forgotten now and then, and something to everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from benchmarks.queue_filling import DIM, Filled, fill
from service.app import build_parts, close_parts
from service.core import access, streams
from service.core.access import Principal, Role
from service.core.labels import choosing, leasing
from service.core.models.training import apprentice
from service.core.parts import Parts
from service.settings import Settings
from service.storage import queue
from service.storage.streams import Stream
from service.storage.tables import AnyRow, queries, skips
from tests.service.core.by_hand import ManualClock, never, run

SKIPPED = 6000


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[Parts]:
    made = build_parts(Settings(data_dir=Path(tmp_path_factory.mktemp("choosing"))), clock=clock)
    yield made
    close_parts(made)


@pytest.fixture(scope="module")
def filled(parts: Parts) -> Filled:
    return fill(parts, "s", 8000)


@pytest.fixture
def who(parts: Parts, clock: ManualClock) -> Principal:
    return parts.db.write_now(lambda c: access.create(c, clock, Role.ANNOTATOR))[0]


def offered(parts: Parts, who: Principal, filled: Filled, limit: int) -> list[AnyRow]:
    stream: Stream = parts.db.read_now(lambda c: streams.find(c, filled.name))
    known = choosing.ranked(parts, who, filled.name, 1)
    return parts.db.read_now(lambda c: list(islice(choosing.chosen(c, parts, who, stream, known), limit)))


def test_the_best_come_in_order_and_the_forgotten_only_once_they_have_waited(
    parts: Parts, clock: ManualClock, who: Principal, filled: Filled
) -> None:
    best = parts.db.read_now(lambda c: queue.best(c, filled.id, who.id, clock.now(), 5))
    assert [row.id for row in offered(parts, who, filled, 5)] == [row.id for row in best]
    assert {offered(parts, who, filled, 1)[0].id for _ in range(100)} == {best[0].id}
    clock.pass_seconds(601)
    found = [offered(parts, who, filled, 1)[0] for _ in range(400)]
    forgotten = [row for row in found if row.id != best[0].id]
    assert 4 <= len(forgotten) <= 50  # one in twenty
    oldest = parts.db.read_now(lambda c: queue.oldest_explored(c, filled.id, who.id, clock.now(), clock.now(), 9))
    assert oldest is not None
    assert {row.id for row in forgotten} == {oldest.id}


def test_whoever_wants_more_has_more_of_the_best_looked_at(parts: Parts, who: Principal, filled: Filled) -> None:
    one, ten = (choosing.ranked(parts, who, filled.name, limit).best for limit in (1, 10))
    assert (len(one), len(ten)) == (32, 32 + 9 * 48)
    assert {row.id for row in one} < {row.id for row in ten}


def test_leases_of_one_version_look_further_each_time_until_all_is_looked_at(
    parts: Parts, clock: ManualClock, who: Principal
) -> None:
    filled = fill(parts, "deep", 2000)
    stream = parts.db.read_now(lambda c: streams.find(c, filled.name))

    def learn(label: str, seq: int) -> None:
        learner, state = apprentice(stream, "cpu").learner, parts.models.state(stream)
        x = np.linspace(-1.0, seq, DIM, dtype=np.float32)
        parts.models.publish(stream, learner.learn(state, x, label, seq=seq)[0])

    def looked_at(limit: int) -> set[str]:
        """Look once, store what was found as a lease does, and return what was scored."""
        known = choosing.ranked(parts, who, filled.name, limit)
        assert known.version == parts.models.state(stream).seq
        everything = {row.id: 0.0 for row in known.best if row.features} | known.news
        parts.db.write_now(lambda c: queue.rank(c, everything, known.version))
        assert len(everything) <= 32 + 48 * (limit - 1)
        return set(everything)

    stored = parts.db.read_now(lambda c: queue.best(c, filled.id, who.id, clock.now(), filled.open))
    learn("0", 1)
    looks = [looked_at(limit) for limit in (1, 1, 10)]
    assert [len(look) for look in looks] == [32, 24, 348]
    assert set().union(*looks) == {row.id for row in stored[: 32 + 24 + 348]}
    learn("1", 2)
    assert len(looked_at(10)) == 464  # a new version begins at the top
    seen = 464
    while more := looked_at(10):
        seen += len(more)
    assert seen == filled.open
    assert choosing.ranked(parts, who, filled.name, 10).news == {}


def test_who_has_skipped_many_of_the_best_leaves_them_to_be_looked_at_for_others(
    parts: Parts, clock: ManualClock
) -> None:
    ada, ben = (parts.db.write_now(lambda c: access.create(c, clock, Role.ANNOTATOR))[0] for _ in "ab")
    filled = fill(parts, "skipped", 1000)
    stream = parts.db.read_now(lambda c: streams.find(c, filled.name))
    learner, state = apprentice(stream, "cpu").learner, parts.models.state(stream)
    parts.models.publish(stream, learner.learn(state, np.ones(DIM, np.float32), "0", seq=1)[0])
    best = parts.db.read_now(lambda c: queue.best(c, filled.id, ben.id, clock.now(), 32))
    skipped = [{"query_id": row.id, "by": ada.id, "reason": "not_for_me", "at": 1} for row in best]
    parts.db.write_now(lambda c: c.execute(skips.insert(), skipped))
    choosing.ranked(parts, ada, filled.name, 1)
    assert {row.id for row in choosing.ranked(parts, ben, filled.name, 1).best} == {row.id for row in best}


def test_who_has_skipped_thousands_of_the_best_is_still_offered_something_else(
    parts: Parts, clock: ManualClock, who: Principal, filled: Filled
) -> None:
    best = sa.select(queries.c.id, sa.literal(who.id), sa.literal("not_for_me"), sa.literal(1))
    best = best.where(queries.c.stream_id == filled.id).order_by(queries.c.utility.desc()).limit(SKIPPED)
    parts.db.write_now(lambda c: c.execute(skips.insert().from_select(["query_id", "by", "reason", "at"], best)))
    found = offered(parts, who, filled, 10)
    assert len(found) == 10
    skipped = parts.db.read_now(
        lambda c: c.execute(sa.select(skips.c.query_id).where(skips.c.by == who.id)).scalars().all()
    )
    assert len(skipped) == SKIPPED
    assert {row.id for row in found}.isdisjoint(skipped)


def test_whoever_others_were_quicker_than_gets_what_comes_next(
    parts: Parts, clock: ManualClock, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = (parts.db.write_now(lambda c: access.create(c, clock, Role.ANNOTATOR))[0] for _ in "ab")
    seen = choosing.ranked(parts, ben, filled.name, 1)

    async def never() -> bool:
        return False

    def leased(who: Principal) -> set[str]:
        return {one["id"] for one in run(leasing.lease(parts, who, filled.name, 10, 0, never))}

    taken = set[str]().union(*(leased(ada) for _ in range(5)))
    assert {row.id for row in seen.best} < taken
    monkeypatch.setattr(choosing, "ranked", lambda *_: seen)
    found = leased(ben)
    assert len(found) == 10
    assert found.isdisjoint(taken)


def test_two_at_once_look_for_the_best_and_the_others_come_behind(
    parts: Parts, who: Principal, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked, lock, now, most = choosing.ranked, Lock(), 0, 0

    def counted(*arguments: Any) -> choosing.Ranked:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        sleep(0.02)
        found = ranked(*arguments)
        with lock:
            now -= 1
        return found

    async def together() -> list[list[dict[str, Any]]]:
        return await asyncio.gather(*(leasing.lease(parts, who, filled.name, 1, 0, never) for _ in range(6)))

    monkeypatch.setattr(choosing, "ranked", counted)
    served = [query["id"] for found in run(together()) for query in found]
    assert most == 2
    assert len(set(served)) == len(served) == 6
