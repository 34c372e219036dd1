"""Writes: shared syncs that spoil nothing, what is acknowledged stays, lost races run again, overload says so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Event, Lock
from time import sleep

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from structlog.testing import capture_logs

from service.core.errors import ConflictError
from service.settings import Settings
from service.storage import syncs
from service.storage.session import Database
from service.storage.syncs import UncertainError
from service.storage.tables import tokens
from service.storage.writers import _FEW, _WAITS_SECONDS, OverloadedError
from tests.conftest import Running, eventually, postgres_database, running


@contextmanager
def opened(url: str, limit: int = 1000) -> Iterator[Database]:
    db = Database(url, write_queue_limit=limit)
    try:
        db.migrate()
        yield db
    finally:
        db.close()


def add(connection: Connection, name: str) -> str:
    connection.execute(tokens.insert().values(id=name, name=name, role="viewer", hash=name, created_at=0))
    return name


def names(db: Database) -> set[str]:
    return set(db.read_now(lambda c: c.execute(sa.select(tokens.c.id)).scalars().all()))


def file_of(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'engram.db'}"


def blocked(db: Database, count: int = 1) -> tuple[Event, list[Future[bool]]]:
    """Keep `count` of the database's writers busy until the event is set."""
    free, busy = Event(), [Event() for _ in range(count)]

    def hold(taken: Event) -> bool:
        taken.set()
        return free.wait(30)

    held = [db._writer.submit(lambda _c, taken=taken: hold(taken)) for taken in busy]
    assert all(taken.wait(10) for taken in busy)
    return free, held


def test_writes_that_wait_together_share_one_transaction(tmp_path: Path) -> None:
    with opened(file_of(tmp_path)) as db:
        commits = 0

        @sa.event.listens_for(db._writer_engine, "commit")
        def count(_connection: Connection) -> None:
            nonlocal commits
            commits += 1

        free, held = blocked(db)
        waiting = [db._writer.submit(lambda c, n=n: add(c, f"t{n}")) for n in range(50)]
        free.set()
        assert [future.result(10) for future in waiting] == [f"t{n}" for n in range(50)]
        assert held[0].result(10)
        assert commits == 2
        assert len(names(db)) == 50


def test_a_part_that_fails_spoils_no_other_and_leaves_nothing(database_url: str) -> None:
    def half(connection: Connection) -> None:
        add(connection, "half done")
        raise ConflictError

    with opened(database_url) as db:
        free, _held = blocked(db)
        first = db._writer.submit(lambda c: add(c, "first"))
        conflict = db._writer.submit(half)
        broken = db._writer.submit(lambda c: c.execute(sa.text("SELECT * FROM nowhere")))
        last = db._writer.submit(lambda c: add(c, "last"))
        free.set()
        assert first.result(10) == "first"
        assert last.result(10) == "last"
        with pytest.raises(ConflictError):
            conflict.result(10)
        with pytest.raises(sa.exc.DBAPIError):
            broken.result(10)
        assert names(db) == {"first", "last"}


def test_a_part_that_fails_alone_leaves_nothing_and_the_next_goes_well(database_url: str) -> None:
    def half(connection: Connection) -> None:
        add(connection, "half done")
        raise ConflictError

    with opened(database_url) as db:
        with pytest.raises(ConflictError):
            db.write_now(half)
        assert names(db) == set()
        assert db.write_now(lambda c: add(c, "next")) == "next"
        assert names(db) == {"next"}


def test_a_file_s_writer_whose_connection_breaks_goes_on_with_another(tmp_path: Path) -> None:
    def breaks(connection: Connection) -> None:
        add(connection, "before the break")
        connection.connection.driver_connection.close()
        add(connection, "after it")

    with opened(f"sqlite:///{tmp_path / 'broken.db'}") as db:
        with pytest.raises(sa.exc.SQLAlchemyError):
            db.write_now(breaks)
        assert db._writer.submit(lambda c: add(c, "next"), own=True).result(10) == "next"
        assert names(db) == {"next"}


def test_what_is_acknowledged_is_on_disk_for_everyone(database_url: str) -> None:
    with opened(database_url) as db, opened(database_url) as other, ThreadPoolExecutor(8) as pool:
        for name in pool.map(lambda n: db.write_now(lambda c: add(c, f"t{n}")), range(60)):
            assert name in names(other)
    with opened(database_url) as again:
        assert names(again) == {f"t{n}" for n in range(60)}


def test_nobody_hears_of_success_before_the_commit(tmp_path: Path) -> None:
    with opened(file_of(tmp_path)) as db:
        seen: list[set[str]] = []
        free, _held = blocked(db)
        future = db._writer.submit(lambda c: add(c, "late"))
        future.add_done_callback(lambda _: seen.append(names(db)))
        assert not future.done()
        assert names(db) == set()
        free.set()
        assert future.result(10) == "late"
        assert eventually(lambda: seen, bool) == [{"late"}]


class Disk:
    """Stands for a file's sync: it takes until it is let go, and fails where it is told to."""

    def __init__(self, db: Database) -> None:
        self.begun, self.goes, self.fails, self.count = Event(), Event(), False, 0
        db._writer._syncs._sync = self.sync

    def sync(self) -> None:
        self.count += 1
        self.begun.set()
        assert self.goes.wait(30)
        if self.fails:
            raise OSError(5, "Input/output error")


def test_who_wants_it_on_disk_hears_of_it_after_the_sync_and_nobody_else_waits_for_that(tmp_path: Path) -> None:
    with opened(file_of(tmp_path)) as db:
        disk = Disk(db)
        first = db._writer.submit(lambda c: add(c, "first"))
        assert disk.begun.wait(10)
        assert db.write_now(lambda c: add(c, "lightly"), synced=False) == "lightly"
        with pytest.raises(ConflictError):
            db.write_now(refuse)
        more = [db._writer.submit(lambda c, n=n: add(c, f"t{n}")) for n in range(5)]
        everything = {"first", "lightly", *(f"t{n}" for n in range(5))}
        assert eventually(lambda: len(db._writer._syncs), lambda waiting: waiting == 5)
        assert names(db) == everything
        assert not any(future.done() for future in [first, *more])
        disk.goes.set()
        assert [future.result(10) for future in [first, *more]] == ["first", *(f"t{n}" for n in range(5))]
        assert disk.count == 2  # the second for all who came during the first


def refuse(_connection: Connection) -> None:
    raise ConflictError


def test_those_who_wait_for_a_sync_count_as_waiting(tmp_path: Path) -> None:
    with opened(file_of(tmp_path), limit=3) as db:
        disk = Disk(db)
        waiting = [db._writer.submit(lambda c: add(c, "at the disk"))]
        assert disk.begun.wait(10)
        waiting += [db._writer.submit(lambda c, n=n: add(c, f"t{n}")) for n in range(3)]
        assert eventually(lambda: len(db._writer._syncs), lambda count: count == 3)
        with pytest.raises(OverloadedError):
            db._writer.submit(lambda c: add(c, "too much"))
        disk.goes.set()
        assert all(future.result(10) for future in waiting)
        assert db.write_now(lambda c: add(c, "again")) == "again"


def test_a_disk_that_failed_to_sync_is_not_trusted_again(tmp_path: Path) -> None:
    with opened(file_of(tmp_path)) as db:
        disk = Disk(db)
        disk.goes.set()
        assert db.write_now(lambda c: add(c, "before")) == "before"
        disk.fails = True
        with capture_logs() as logged, pytest.raises(UncertainError):
            db.write_now(lambda c: add(c, "failed"))
        disk.fails = False
        for synced in (True, False):
            with pytest.raises(UncertainError):
                db.write_now(lambda c: add(c, "after"), synced=synced)
        db.write_later(lambda c: add(c, "later"))
        assert not db.sound
        assert [said["event"] for said in logged] == ["database.sync_failed"]
    with opened(file_of(tmp_path)) as db:
        assert db.sound
        assert names(db) == {"before", "failed"}  # the file was sound, only its sync said otherwise
        assert db.write_now(lambda c: add(c, "again")) == "again"


def test_a_sync_is_of_what_is_written_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []

    def sync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    monkeypatch.setattr(syncs, "_sync", sync)
    with opened(file_of(tmp_path)) as db:
        db.write_now(lambda c: add(c, "lightly"), synced=False)
        assert synced == []
        db.write_now(lambda c: add(c, "surely"))
        assert synced == [str(tmp_path / "engram.db-wal")]
        # Whoever hangs up last removes it, and the next writer makes another.
        (tmp_path / "engram.db-wal").rename(tmp_path / "removed")
        (tmp_path / "engram.db-wal").write_bytes(b"")
        db._ahead.sync()
        assert len(synced) == 2
        assert synced[1] == str(tmp_path / "engram.db-wal")
        (tmp_path / "engram.db-wal").unlink()
        db._ahead.sync()
        (tmp_path / "removed").rename(tmp_path / "engram.db-wal")
        assert len(synced) == 2


def test_what_waits_for_no_disk_is_there_for_everyone_and_after_the_end_of_the_process(database_url: str) -> None:
    with opened(database_url) as db:
        assert db.write_now(lambda c: add(c, "lightly"), synced=False) == "lightly"
        assert names(db) == {"lightly"}
    with opened(database_url) as db:
        assert names(db) == {"lightly"}


def test_closing_finishes_what_was_submitted(database_url: str) -> None:
    with opened(database_url) as db:
        free, _held = blocked(db)
        waiting = [db._writer.submit(lambda c, n=n: add(c, f"t{n}")) for n in range(20)]
        free.set()
    assert all(future.done() for future in waiting)
    with opened(database_url) as again:
        assert len(names(again)) == 20


def test_a_closed_database_takes_nothing_and_keeps_nobody_waiting(database_url: str) -> None:
    with opened(database_url) as db:
        db.close()
        with pytest.raises(OverloadedError):
            db.write_now(lambda c: add(c, "late"))


def test_two_transactions_that_block_each_other_both_happen_in_the_end() -> None:
    with postgres_database() as url, opened(url) as db:
        db.write_now(lambda c: [add(c, "a"), add(c, "b")])
        met, tries, lock = Barrier(2), 0, Lock()

        def rename(connection: Connection, first: str, second: str) -> None:
            nonlocal tries
            with lock:
                tries += 1
            for name in (first, second):
                changed = tokens.update().where(tokens.c.id == name).values(name=tokens.c.name + first)
                connection.execute(changed)
                if name == first:
                    try:
                        met.wait(5)  # both hold one row and now want the other's
                    except BrokenBarrierError:
                        pass
                    else:
                        met.abort()

        both = [
            db._writer.submit(lambda c: rename(c, "a", "b")),
            db._writer.submit(lambda c: rename(c, "b", "a")),
        ]
        for future in both:
            future.result(30)
        assert tries == 3
        found = db.read_now(lambda c: c.execute(sa.select(tokens.c.name).order_by(tokens.c.id)).scalars().all())
        assert [sorted(name) for name in found] == [["a", "a", "b"], ["a", "b", "b"]]


def end_connection(db: Database, connection: Connection) -> None:
    """End the server's side of a connection, and wait until it is gone."""
    pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    with db._reader.connect() as other:
        other.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def test_a_write_that_loses_its_connection_before_the_commit_is_run_again() -> None:
    with postgres_database() as url, opened(url) as db:
        tries = 0

        def work(connection: Connection) -> str:
            nonlocal tries
            tries += 1
            if tries == 1:
                end_connection(db, connection)
            return add(connection, "once")

        assert db.write_now(work) == "once"
        assert tries == 2
        assert names(db) == {"once"}


def test_a_write_that_loses_its_connection_in_the_commit_is_not_run_again() -> None:
    with postgres_database() as url, opened(url) as db:
        tries = 0

        def work(connection: Connection) -> None:
            nonlocal tries
            tries += 1
            add(connection, "lost")
            end_connection(db, connection)

        with pytest.raises(UncertainError):
            db.write_now(work)
        assert tries == 1
        assert names(db) == set()
        assert db.write_now(lambda c: add(c, "again")) == "again"


def test_a_writer_that_halts_in_the_middle_keeps_nobody_from_what_it_locked() -> None:
    with postgres_database() as url, opened(url) as db:
        db.write_now(lambda c: add(c, "a"))
        rename = tokens.update().where(tokens.c.id == "a")
        locked, awake = Event(), Event()

        def halt(connection: Connection) -> None:
            connection.execute(rename.values(name="halted"))
            if not locked.is_set():
                locked.set()
                awake.wait(60)
                connection.execute(sa.text("SELECT 1"))

        halted = db._writer.submit(halt)
        assert locked.wait(10)
        db.write_now(lambda c: c.execute(rename.values(name="free")))  # returns, as the server ends the halted one
        awake.set()
        halted.result(30)
        assert db.read_now(lambda c: c.execute(sa.select(tokens.c.name)).scalar_one()) == "halted"  # run again, after


def test_requests_go_before_the_services_own_work_and_no_more_than_one_piece_of_it_goes_first(tmp_path: Path) -> None:
    with opened(file_of(tmp_path)) as db:
        order: list[str] = []
        free, _held = blocked(db)
        own = [db._writer.submit(lambda _c, n=n: order.append(f"own {n}"), own=True) for n in range(2)]
        asked = [db._writer.submit(lambda _c, n=n: order.append(f"request {n}")) for n in range(2)]
        free.set()
        for future in [*own, *asked]:
            future.result(10)
        assert order == ["request 0", "request 1", "own 0", "own 1"]

        free, _held = blocked(db)
        own = [db._writer.submit(lambda _c, n=n: order.append(f"late {n}"), own=True) for n in range(2)]
        sleep(2 * _WAITS_SECONDS)
        asked = [db._writer.submit(lambda _c, n=n: order.append(f"request {n}")) for n in range(2)]
        free.set()
        for future in [*own, *asked]:
            future.result(10)
        # Both pieces have waited their time: they go in turns with the requests that came after them.
        assert order[4:] == ["late 0", "request 0", "request 1", "late 1"]


def test_what_needs_no_sync_goes_before_what_does_until_that_has_waited_long(tmp_path: Path) -> None:
    with opened(file_of(tmp_path)) as db:
        order: list[str] = []

        def submitted(name: str, *, synced: bool = True) -> Future[None]:
            return db._writer.submit(lambda _c: order.append(name), synced=synced)

        free, _held = blocked(db)
        waiting = [submitted("answer 0"), submitted("answer 1"), submitted("lease", synced=False)]
        free.set()
        for future in waiting:
            future.result(10)
        assert order == ["lease", "answer 0", "answer 1"]

        order.clear()
        free, _held = blocked(db)
        waiting = [submitted("answer 0"), submitted("answer 1")]
        sleep(2 * _WAITS_SECONDS)
        waiting.append(submitted("lease", synced=False))
        free.set()
        for future in waiting:
            future.result(10)
        assert order == ["answer 0", "answer 1", "lease"]


def test_a_few_that_wait_run_one_by_one_and_more_share_a_commit(tmp_path: Path) -> None:
    with opened(file_of(tmp_path)) as db:
        for count in (_FEW, _FEW + 1):
            seen: list[set[str]] = []

            def work(connection: Connection, name: str, seen: list[set[str]] = seen) -> None:
                add(connection, name)
                seen.append(names(db))  # what others see: all that is committed

            free, _held = blocked(db)
            made = [f"{count} {n}" for n in range(count)]
            waiting = [db._writer.submit(partial(work, name=name)) for name in made]
            free.set()
            for future in waiting:
                future.result(10)
            there = [len(found & set(made)) for found in seen]
            assert there == ([0, 1, 2, 3] if count == _FEW else [0] * count)


def test_what_may_be_written_later_is_written_and_lost_only_where_too_much_waits(tmp_path: Path) -> None:
    with opened(file_of(tmp_path)) as db:
        db.write_later(lambda c: add(c, "later"))
        assert eventually(lambda: names(db), bool) == {"later"}
    db.write_later(lambda c: add(c, "too late"))  # closed: nobody is told
    with opened(file_of(tmp_path)) as db:
        assert names(db) == {"later"}


def test_a_full_queue_refuses_at_once_and_takes_again_once_it_is_shorter(database_url: str) -> None:
    with opened(database_url, limit=12) as db:
        # PostgreSQL counts the 8 that run, SQLite's single writer only those that wait.
        running_now = 1 if "sqlite" in database_url else 8
        free, _held = blocked(db, running_now)
        room = 12 if running_now == 1 else 12 - 8
        waiting = [db._writer.submit(lambda c, n=n: add(c, f"t{n}")) for n in range(room)]
        with pytest.raises(OverloadedError):
            db._writer.submit(lambda c: add(c, "too much"))
        own = db._writer.submit(lambda c: add(c, "a heartbeat"), own=True)
        free.set()
        assert all(future.result(10) for future in [*waiting, own])
        assert eventually(lambda: names(db), lambda found: len(found) == room + 1)
        assert db.write_now(lambda c: add(c, "again")) == "again"
        assert "too much" not in names(db)


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_overload_is_429_with_retry_after_and_nothing_is_lost(
    tmp_path: Path, request: pytest.FixtureRequest, backend: str
) -> None:
    if backend == "sqlite":
        with running(Settings(data_dir=tmp_path, poll_seconds=0.1, write_queue_limit=4)) as service:
            assert_overload(service, writers=1)
    else:
        with postgres_database() as url:
            settings = Settings(data_dir=tmp_path, database_url=url, poll_seconds=0.1, write_queue_limit=12)
            with running(settings) as service:
                assert_overload(service, writers=8)


def assert_overload(service: Running, writers: int) -> None:
    service.stream(classes=["a"])
    service.settled()
    free, _held = blocked(service.parts.db, writers)
    try:
        with ThreadPoolExecutor(16) as pool:
            sent = [
                pool.submit(service.client.post, "/v1/streams/s/samples", json={"id": f"x{n}", "data": [n, n]})
                for n in range(16)
            ]
            refused = eventually(lambda: [s.result() for s in sent if s.done()], lambda found: len(found) >= 12)
            for answer in refused:
                assert answer.status_code == 429
                assert int(answer.headers["retry-after"]) >= 1
                assert answer.headers["content-type"] == "application/problem+json"
            assert service.client.get("/healthz").status_code == 200
            free.set()
            taken = [answer.json()["id"] for answer in (s.result() for s in sent) if answer.status_code == 200]
    finally:
        free.set()
    # A worker's own heartbeat may have had one of the places.
    assert 3 <= len(taken) <= 4
    assert len(taken) + sum(answer.status_code == 429 for answer in (s.result() for s in sent)) == 16
    assert service.stats()["samples"] == len(taken)
    for name in taken:
        assert service.client.get(f"/v1/streams/s/samples/{name}").status_code == 200
    assert service.post([1, 1])["id"]
