"""A stream has one writer at a time, by numbers that only grow."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage import leases
from service.storage import streams as stream_rows
from service.storage.leases import StreamLease
from service.storage.session import Database
from service.storage.tables import streams, writers
from tests.conftest import postgres_database


def opened(url: str) -> Database:
    db = Database(url)
    db.migrate()
    return db


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    made = opened(database_url)
    yield made
    made.close()


def add_streams(db: Database, count: int) -> list[int]:
    def work(connection: Connection) -> list[int]:
        empty = {"input": {}, "initial_classes": [], "classes": [], "open_classes": True, "learner": {}, "query": {}}
        more = empty | {"guidelines": "", "colours": {}, "created_at": 0}
        made = [stream_rows.insert(connection, name=f"s{n}", **more) for n in range(count)]
        return [stream.id for stream in made if stream is not None]

    return db.write_now(work)


def take(db: Database, worker: str, now: int, limit: int = 100) -> list[StreamLease]:
    return list(db.write_now(lambda c: leases.take(c, worker, now, limit)))


def beat(db: Database, worker: str, until: int) -> None:
    db.write_now(lambda c: leases.beat(c, worker, started_at=0, until=until))


def confirmed(db: Database, lease: StreamLease) -> bool:
    return db.write_now(lambda c: leases.confirm(c, lease))


def test_a_stream_that_is_held_is_taken_by_nobody_until_the_heartbeat_is_over(db: Database) -> None:
    [stream] = add_streams(db, 1)
    beat(db, "a", 100)
    beat(db, "b", 200)
    assert take(db, "a", 50) == [StreamLease(stream, "a", 1)]
    assert take(db, "b", 99) == []
    assert take(db, "b", 100) == [StreamLease(stream, "b", 2)]
    assert not confirmed(db, StreamLease(stream, "a", 1))
    assert confirmed(db, StreamLease(stream, "b", 2))


def test_a_heartbeat_holds_all_streams_of_its_worker(db: Database) -> None:
    found = add_streams(db, 3)
    beat(db, "a", 100)
    held = take(db, "a", 0)
    beat(db, "a", 300)
    assert take(db, "b", 299) == []
    assert db.read_now(lambda c: leases.held(c, "a")) == held == [StreamLease(n, "a", 1) for n in found]
    assert db.read_now(lambda c: leases.free(c, 299)) == 0
    assert db.read_now(lambda c: leases.free(c, 300)) == 3


def test_who_leaves_and_who_gives_back_need_not_be_waited_for(db: Database) -> None:
    add_streams(db, 2)
    beat(db, "a", 100)
    first, second = take(db, "a", 0)
    db.write_now(lambda c: leases.give_back(c, first))
    assert [lease.stream_id for lease in take(db, "b", 0)] == [first.stream_id]
    db.write_now(lambda c: leases.give_back(c, first))  # it is another's by now
    beat(db, "b", 100)
    db.write_now(lambda c: leases.leave(c, "a"))
    assert db.read_now(lambda c: leases.alive(c, 0)) == ["b"]
    assert [(lease.stream_id, lease.fence) for lease in take(db, "c", 0)] == [(second.stream_id, 2)]


def test_the_own_stream_taken_again_has_a_new_fence(db: Database) -> None:
    [stream] = add_streams(db, 1)
    beat(db, "a", 100)
    [before] = take(db, "a", 0)
    db.write_now(lambda c: leases.give_back(c, before))
    [after] = take(db, "a", 0)
    assert (after.stream_id, after.fence) == (stream, 2)
    assert not confirmed(db, before)


def test_no_more_than_asked_for_is_taken(db: Database) -> None:
    found = add_streams(db, 5)
    assert [lease.stream_id for lease in take(db, "a", 0, 2)] == found[:2]


def test_a_removed_stream_takes_its_lease_along(db: Database) -> None:
    [stream] = add_streams(db, 1)
    [lease] = take(db, "a", 0)
    db.write_now(lambda c: stream_rows.delete(c, stream))
    assert not confirmed(db, lease)
    assert db.read_now(lambda c: c.execute(sa.select(sa.func.count()).select_from(writers)).scalar_one()) == 0


def test_many_that_take_at_once_share_without_overlap(database_url: str) -> None:
    dbs = [opened(database_url) for _ in range(4)]
    try:
        found = add_streams(dbs[0], 12)
        for n, db in enumerate(dbs):
            beat(db, f"w{n}", 100)
        with ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(lambda n: take(dbs[n], f"w{n}", 0, 3), range(4)))
            taken += pool.map(lambda n: take(dbs[n], f"w{n}", 0, 12), range(4))
        assert sorted(lease.stream_id for part in taken for lease in part) == found
        assert {lease.fence for part in taken for lease in part} == {1}
    finally:
        for db in dbs:
            db.close()


def test_a_stream_is_not_taken_while_its_writer_commits() -> None:
    with postgres_database() as url:
        db = opened(url)
        try:
            [stream] = add_streams(db, 1)
            beat(db, "a", 100)
            [lease] = take(db, "a", 0)
            confirmed_it, free = Event(), Event()

            def commit(connection: Connection) -> None:
                assert leases.confirm(connection, lease)
                confirmed_it.set()
                free.wait(10)
                stream_rows.update(connection, stream, applied_seq=7)

            with ThreadPoolExecutor(1) as pool:
                committing = pool.submit(lambda: db.write_now(commit))
                assert confirmed_it.wait(10)
                assert take(db, "b", 1000) == []  # its heartbeat is over, but it is in the middle of a commit
                free.set()
                committing.result(10)
            assert [lease.fence for lease in take(db, "b", 1000)] == [2]
            seen = db.read_now(lambda c: c.execute(sa.select(streams.c.applied_seq)).scalar_one())
            assert seen == 7
        finally:
            db.close()
