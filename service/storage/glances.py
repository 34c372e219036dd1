"""Looks at single rows in a file: by one connection that stays open, outside any transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")


class Glances:
    """Runs one statement at a time, each of which sees what is committed at its moment. Any thread may use it.

    To fetch a connection, begin and end take longer than the statement.

    Args:
        engine: of a file, whose transactions begin only where they are told to.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._lock = Lock()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which executes one statement and reads all that it gives."""
        with self._lock:
            if self._connection is None:
                self._connection = self._engine.connect()
            try:
                return work(self._connection)
            except DBAPIError:  # whatever it was, the next look has nothing to do with it
                self._hang_up()
                raise

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._hang_up()
        self._engine.dispose()

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it may be what has just broken
                connection.close()
