"""What is written ahead on SQLite: copied in the background, bounded, and whole after the end of a process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import enumerate as enumerate_threads
from time import sleep

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage import checkpoints, syncs
from service.storage.checkpoints import BACKSTOP_PAGES
from service.storage.session import Database
from tests.conftest import eventually

PAGE = 4096


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(checkpoints, "_EVERY_SECONDS", 0.02)
    opened = Database(f"sqlite:///{tmp_path / 'engram.db'}")
    opened.write_now(lambda c: c.execute(sa.text("CREATE TABLE notes (n INTEGER PRIMARY KEY, text TEXT)")))
    yield opened
    opened.close()


def add(connection: Connection) -> None:
    connection.execute(sa.text("INSERT INTO notes (text) VALUES (:text)"), {"text": "x" * 40 * PAGE})


def copied(path: Path) -> int:
    """Return how many notes the database's own file holds, whatever is written ahead of it; 0 in the middle of that."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM notes").fetchone()[0])
    return 0


def ahead(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


def test_what_is_written_ahead_is_copied_though_nobody_writes_enough_for_a_commit_to_do_so(
    database: Database, tmp_path: Path
) -> None:
    for _ in range(5):
        database.write_now(add)
    assert ahead(tmp_path / "engram.db") < BACKSTOP_PAGES * PAGE
    eventually(lambda: copied(tmp_path / "engram.db"), lambda count: count == 5)


def test_the_file_of_what_is_written_ahead_is_begun_anew_and_stays_small(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "engram.db"
    for written in range(1, 61):
        database.write_now(add)
        if written % 10 == 0:
            sleep(0.2)  # ten looks: one of them finds nobody writing
    assert ahead(path) < 40 * 41 * PAGE  # of 60 rows


def test_it_goes_on_after_a_failure(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = []

    def broken(*_: object) -> None:
        failures.append(1)
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.sqlite3, "connect", broken)
        database.write_now(add)
        eventually(lambda: len(failures), lambda count: count > 1)
    eventually(lambda: copied(tmp_path / "engram.db"), lambda count: count == 1)


def test_where_a_long_read_keeps_it_from_being_copied_it_is_on_disk_all_the_same(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "engram.db", []

    def sync(descriptor: int) -> None:
        assert Path(f"/proc/self/fd/{descriptor}").resolve() == path.with_name("engram.db-wal")
        synced.append(ahead(path))

    def look(connection: Connection) -> None:
        assert connection.scalar(sa.text("SELECT count(*) FROM notes")) == 0
        with monkeypatch.context() as patch:
            patch.setattr(syncs, "_sync", sync)
            database.write_now(add, synced=False)
            eventually(lambda: list(synced), bool)
        assert copied(path) == 0

    database.read_now(look)
    assert synced[-1] == ahead(path)
    eventually(lambda: copied(path), lambda count: count == 1)


def threads() -> int:
    return sum(thread.name == "engram-checkpoints" for thread in enumerate_threads())


def test_closing_ends_it_and_leaves_nothing_ahead(database: Database, tmp_path: Path) -> None:
    before = threads()
    database.write_now(add)
    database.close()
    assert threads() == before - 1
    assert copied(tmp_path / "engram.db") == 1
    assert not (tmp_path / "engram.db-wal").exists()
