"""Connections: SQLite with one writer and a shared sync, or PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import anyio.to_thread
import orjson
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event

from service.storage.checkpoints import BACKSTOP_PAGES, Checkpoints
from service.storage.glances import Glances
from service.storage.migrating import migrate
from service.storage.syncs import Ahead, UncertainError
from service.storage.writers import GroupCommitWriter, OverloadedError, PooledWriter, Writer

T = TypeVar("T")
Work = Callable[[Connection], T]

_BUSY_MILLISECONDS = 30_000
_POSTGRES_CONNECTIONS = 8
_CONNECT_SECONDS = 5
_SWITCH_SECONDS = 0.01

# All that one read looks at is of one moment, as on SQLite.
_READER_OPTIONS = "-c default_transaction_isolation=repeatable\\ read"

# Ends the write of a process that was halted in the middle, so that it keeps nobody from the rows it had locked.
_WRITER_OPTIONS = "-c idle_in_transaction_session_timeout=5000"


class Database:
    """Opens a database; `read` and `write` run a function in one transaction each."""

    def __init__(self, url: str, *, write_queue_limit: int = 1000) -> None:
        self.url = sa.make_url(url)
        self._reader = _engine(self.url, begin="BEGIN", options=_READER_OPTIONS)
        self._ahead: Ahead | None = None
        self._checkpoints: Checkpoints | None = None
        self._glances: Glances | None = None
        if self.embedded:
            self._glances = Glances(_engine(self.url, begin=None))
            self._writer_engine = _engine(self.url, begin="BEGIN IMMEDIATE", syncs=False)
            path = Path(self.url.database) if self.url.database else None
            self._ahead = Ahead(path) if path else None
            sync = self._ahead.sync if self._ahead else lambda: None
            self._writer: Writer = GroupCommitWriter(self._writer_engine, write_queue_limit, sync)
            if path:
                self._checkpoints = Checkpoints(path)
        else:
            self._writer_engine = _engine(self.url, begin="BEGIN", options=_WRITER_OPTIONS)
            self._writer = PooledWriter(self._writer_engine, _POSTGRES_CONNECTIONS, write_queue_limit)

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of this process alone."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def sound(self) -> bool:
        """Whether what is committed lasts; where a disk has failed to sync, only another start may mend it."""
        return self._writer.sound

    async def read(self, work: Work[T]) -> T:
        """Run `work` in a read transaction of its own, in a thread."""
        return await anyio.to_thread.run_sync(self.read_now, work)

    async def glance(self, statement: sa.Select[Any], **told: Any) -> tuple[Any, ...] | None:
        """Return the first row of a statement that is made once and looks it up by its key: texts and numbers.

        In a file that takes less than handing it to a thread and back.
        """
        if self._glances is not None:
            return self._glances.row(statement, told)
        found = await self.read(lambda c: c.execute(statement, told).first())
        return None if found is None else tuple(found)

    def read_now(self, work: Work[T]) -> T:
        """Run `work` in a read transaction of its own, in this thread."""
        with self._reader.connect() as connection, connection.begin():
            return work(connection)

    async def write(self, work: Work[T], *, synced: bool = True) -> T:
        """Run `work` in a transaction; return once it is committed to disk.

        With `synced` false it is committed, so that it outlives this process, but a power cut in the fifth of a second
        after it may undo it, with all that was committed later: only for what nobody misses then, or is done again.
        """
        return await asyncio.wrap_future(self._writer.submit(work, synced=synced))

    def write_now(self, work: Work[T], *, synced: bool = True) -> T:
        """Run the service's own `work` as `write` does and wait for its commit, from a thread that may block."""
        return self._writer.submit(work, own=True, synced=synced).result()

    def write_later(self, work: Work[None]) -> None:
        """Run the service's own `work` in a transaction soon; only for what may as well not be written."""
        with suppress(OverloadedError, UncertainError):
            self._writer.submit(work, own=True, synced=False)

    def migrate(self) -> None:
        """Bring the tables to the newest version."""
        if self.embedded and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        with self._writer_engine.begin() as connection:
            migrate(connection)

    def close(self) -> None:
        """Finish all writes and hang up; closing twice is once."""
        self._writer.close()
        if self._ahead is not None:
            self._ahead.close()
        if self._checkpoints is not None:
            self._checkpoints.close()
        if self._glances is not None:
            self._glances.close()
        self._writer_engine.dispose()
        self._reader.dispose()


def _engine(url: sa.URL, *, begin: str | None, options: str = "", syncs: bool = True) -> Engine:
    """Return an engine.

    On SQLite a transaction is one statement where it does not `begin` by one of its own, and a commit syncs unless
    `syncs` is false and somebody else does.
    """
    if url.get_backend_name() != "sqlite":
        options = f"{url.query.get('options', '')} {options}".strip()
        arguments = {"connect_timeout": _CONNECT_SECONDS} | dict(url.query) | {"options": options}
        return sa.create_engine(
            url,
            pool_size=_POSTGRES_CONNECTIONS,
            max_overflow=24,
            pool_pre_ping=True,
            connect_args=arguments,
            json_deserializer=_from_json,
        )
    engine = sa.create_engine(
        url,
        pool_size=16,
        max_overflow=48,
        connect_args={"check_same_thread": False},
        json_deserializer=_from_json,
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver guesses
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={BACKSTOP_PAGES}")
        if _switch_to_wal(connection) and not syncs:
            connection.execute("PRAGMA synchronous=NORMAL")

    if begin is None:
        return engine

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # By the driver: every transaction begins here, and what lies above it takes ten times as long.
        connection.connection.cursor().execute(begin)

    return engine


def _from_json(text: str | bytes) -> Any:
    """Return what a column's JSON says; a dozen are read for every lease and answer."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # what Python writes and JSON does not know: infinity, half a pair of surrogates
        return json.loads(text)


def _switch_to_wal(connection: sqlite3.Connection) -> bool:
    """Write ahead from now on, where the file's system can; return whether that is so.

    SQLite does not wait its busy time for another connection that switches too.
    """
    give_up = monotonic() + _BUSY_MILLISECONDS / 1000
    while True:
        try:
            return bool(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal")
        except sqlite3.OperationalError:
            if monotonic() > give_up:
                raise
            sleep(_SWITCH_SECONDS)
