"""Whatever is looked for in the queue is found by an index, however long the queue is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, event

from benchmarks.queue_filling import Filled, fill
from service.app import build_parts, close_parts
from service.core.parts import Parts
from service.settings import Settings
from service.storage import queries, queue
from service.storage.queue import Place
from service.storage.tables import samples
from tests.conftest import postgres_database

_numbers = count()

LOOKS: dict[str, Callable[[Connection, int], Any]] = {
    "best": lambda c, s: queue.best(c, s, "ada", 1, 10),
    "best, further on": lambda c, s: queue.best(c, s, "ada", 1, 10, Place(0.5, "q_s")),
    "offered": lambda c, s: queue.offered(c, s, "ada", 1, version=5, wanted=5, most=10),
    "offered further on": lambda c, s: queue.further(
        c, s, "ada", 1, version=5, wanted=5, most=10, after=Place(0.5, "q_s")
    ),
    "oldest": lambda c, s: queue.oldest(c, s, "ada", 1, 10),
    "oldest asked at random": lambda c, s: queue.oldest_explored(c, s, "ada", 1, 2**60, 10),
    "downwards": lambda c, s: queue.downwards(c, s, 5, 10, None),
    "further down": lambda c, s: queue.downwards(c, s, 5, 10, Place(0.5, "q_s")),
    "too old": lambda c, s: queue.opened_before(c, s, 2**60, 1, 10),
    "codes": lambda c, s: queue.newest_codes(c, s, 10),
    "of samples": lambda c, s: queue.of_samples(c, [1, 2, 3]),
    "free": lambda c, s: queue.free_of(c, ["q_1", "q_2"], 1),
    "any free": lambda c, s: queue.any_free(c, s, 1),
    "leased": lambda c, s: queue.leased(c, s, 1),
    "since when": queue.oldest_open,
    "claimed": lambda c, s: queries.claim(c, "q_1", token="t", by="ada", until=9, now=1),
    "ranked": lambda c, s: queue.rank(c, {"q_1": 0.5}, 1),
    "ended": lambda c, s: queue.end(c, ["q_1"], queries.EXPIRED, 1),
}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def parts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with ExitStack() as stack:
        url = None if request.param == "sqlite" else stack.enter_context(postgres_database())
        made = build_parts(Settings(data_dir=tmp_path_factory.mktemp("queue"), database_url=url))
        stack.callback(close_parts, made)
        yield made


@pytest.fixture
def filled(parts: Parts) -> tuple[Parts, Filled]:
    return parts, fill(parts, f"s{next(_numbers)}", 1000)


def plan_of(connection: Connection, look: Callable[[Connection], Any]) -> str:
    """Return how the database goes about what `look` asks; PostgreSQL as it would in a table too long to be scanned."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        asked.append((statement, parameters[0] if many else parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        look(connection)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        for dear in ("seqscan", "sort", "bitmapscan"):
            connection.execute(sa.text(f"SET LOCAL enable_{dear} = off"))
    how = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
    lines = [row[-1] for sql, values in asked for row in connection.exec_driver_sql(f"{how} {sql}", values)]
    return "\n".join(lines)


@pytest.mark.parametrize("name", LOOKS)
def test_no_look_scans_or_sorts_the_queue(filled: tuple[Parts, Filled], name: str) -> None:
    parts, stream = filled
    plan = parts.db.write_now(lambda c: plan_of(c, lambda connection: LOOKS[name](connection, stream.id)))
    assert plan
    for bad in ("SCAN queries", "SCAN samples", "TEMP B-TREE", "Seq Scan on queries", "Seq Scan on samples", "Sort"):
        assert bad not in plan, plan


def test_pages_of_the_best_follow_each_other_without_gap_or_repeat(filled: tuple[Parts, Filled]) -> None:
    parts, stream = filled
    found, after = [], None
    while page := parts.db.read_now(lambda c: queue.best(c, stream.id, "ada", 1, 300, after)):  # noqa: B023
        found += page
        after = Place(page[-1].utility, page[-1].id)
    assert len({row.id for row in found}) == len(found) == stream.open
    assert [row.utility for row in found] == sorted((row.utility for row in found), reverse=True)


def test_what_is_held_or_skipped_is_there_but_not_offered(filled: tuple[Parts, Filled]) -> None:
    parts, stream = filled
    first, second, third = parts.db.read_now(lambda c: queue.best(c, stream.id, "ada", 1, 3))

    def work(connection: Connection) -> list[bool]:
        queries.claim(connection, first.id, token="t", by="ben", until=9, now=1)
        queries.skip(connection, second.id, "ada", "not_for_me", 1)
        return [row.offered for row in queue.best(connection, stream.id, "ada", 1, 3)]

    assert parts.db.write_now(work) == [0, 0, 1]
    assert parts.db.read_now(lambda c: queue.leased(c, stream.id, 1)) == 1
    assert [row.id for row in parts.db.read_now(lambda c: queue.free_of(c, [first.id, third.id], 1))] == [third.id]


def test_what_is_offered_is_the_best_that_one_may_have_with_what_scoring_it_anew_takes(
    filled: tuple[Parts, Filled],
) -> None:
    parts, stream = filled
    held, skipped, newer, *rest = parts.db.read_now(lambda c: queue.best(c, stream.id, "ada", 1, 40))
    features = sa.select(samples.c.n, samples.c.features).where(samples.c.n.in_([row.sample_n for row in rest]))

    def work(connection: Connection) -> tuple[queue.Best, queue.Best, dict[int, bytes]]:
        queries.claim(connection, held.id, token="t", by="ben", until=9, now=1)
        queries.skip(connection, skipped.id, "ada", "not_for_me", 1)
        queue.rank(connection, {newer.id: 0.999}, 5)
        looks = [queue.offered(connection, stream.id, "ada", 1, version=5, wanted=n, most=40) for n in (10, 100)]
        return looks[0], looks[1], {row.n: row.features for row in connection.execute(features)}

    few, every, known = parts.db.write_now(work)
    assert (few.more, every.more) == (True, True)
    assert [one.id for one in every.offered] == [row.id for row in (newer, *rest)]
    assert few.offered == every.offered[:10]
    assert [one.features for one in every.offered] == [None, *(known[row.sample_n] for row in rest)]
    assert [one.utility for one in every.offered[1:]] == pytest.approx([row.utility for row in rest], abs=1e-14)
    all_there_is = parts.db.read_now(
        lambda c: queue.offered(c, stream.id, "ada", 1, version=5, wanted=2000, most=stream.open)
    )
    assert (len(all_there_is.offered), all_there_is.more) == (stream.open - 2, False)
    nothing = parts.db.read_now(lambda c: queue.offered(c, stream.id + 1, "ada", 1, version=5, wanted=9, most=9))
    assert nothing == ([], False)


def test_what_is_offered_further_on_is_older_and_behind_a_place(filled: tuple[Parts, Filled]) -> None:
    parts, stream = filled
    rows = parts.db.read_now(lambda c: queue.best(c, stream.id, "ada", 1, 60))
    place, newer, held, *behind = rows[19:]

    def look(connection: Connection, wanted: int, most: int, after: Place) -> queue.Further:
        return queue.further(connection, stream.id, "ada", 1, version=5, wanted=wanted, most=most, after=after)

    def work(connection: Connection) -> None:
        queries.claim(connection, held.id, token="t", by="ben", until=9, now=1)
        queue.rank(connection, {newer.id: newer.utility}, 5)

    parts.db.write_now(work)
    begin = Place(place.utility, place.id)
    full = parts.db.read_now(lambda c: look(c, 10, 40, begin))
    assert [one.id for one in full.offered] == [row.id for row in behind[:10]]
    assert all(one.features for one in full.offered)
    assert full.after is not None
    assert full.after.id == behind[9].id
    passed = parts.db.read_now(lambda c: look(c, 10, 5, begin))
    assert [one.id for one in passed.offered] == [row.id for row in behind[:3]]
    assert passed.after == Place(behind[2].utility, behind[2].id)
    last = parts.db.read_now(lambda c: look(c, 10, stream.open, begin))
    rest = parts.db.read_now(lambda c: look(c, 2000, stream.open, begin))
    assert (last.offered, last.after) == (full.offered, full.after)
    assert (len(rest.offered), rest.after) == (stream.open - 20 - 2, None)


def test_many_are_ranked_by_one_statement_to_the_last_bit(filled: tuple[Parts, Filled]) -> None:
    parts, stream = filled
    found = parts.db.read_now(lambda c: queue.best(c, stream.id, "ada", 1, 200))
    wanted = {row.id: 1.0 / (3 + n) for n, row in enumerate(found)}
    parts.db.write_now(lambda c: queue.rank(c, wanted, 7))
    for row in found:
        now = parts.db.read_now(lambda c: queries.one(c, row.id))  # noqa: B023
        assert now is not None
        assert (now.utility, now.ranked_at) == (wanted[row.id], 7)


def test_many_are_stored_in_parts_that_leave_none_out() -> None:
    utilities = {f"q_{n}": n / 100 for n in range(100)}
    parts = list(queue.in_parts(utilities))
    assert [len(part) for part in parts] == [32, 32, 32, 4]
    assert {key: value for part in parts for key, value in part.items()} == utilities
    assert list(queue.in_parts({})) == []


def test_an_older_version_does_not_rank_over_a_newer_one(filled: tuple[Parts, Filled]) -> None:
    parts, stream = filled
    query = parts.db.read_now(lambda c: queue.best(c, stream.id, "ada", 1, 1))[0]
    for version, utility in ((3, 0.3), (2, 0.2)):
        parts.db.write_now(lambda c: queue.rank(c, {query.id: utility}, version))  # noqa: B023
    found = parts.db.read_now(lambda c: queries.one(c, query.id))
    assert found is not None
    assert (found.utility, found.ranked_at) == (0.3, 3)
