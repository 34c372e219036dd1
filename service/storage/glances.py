"""Looks at single rows in a file: by one connection that stays open, outside any transaction."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler


class Glances:
    """Runs one statement at a time, each of which sees what is committed at its moment. Any thread may use it.

    To fetch a connection, begin and end take longer than the statement; so does what lies above the driver, which every
    request would pay for: three fifths of .8 ms where the processor has done other things in between.

    Args:
        engine: of a file, whose transactions begin only where they are told to.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None
        self._compiled: dict[sa.Select[Any], SQLCompiler] = {}
        self._lock = Lock()

    def row(self, statement: sa.Select[Any], told: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of a statement that is made once, as the driver has it: texts and numbers.

        Raises:
            DBAPIError: as SQLAlchemy does.
        """
        with self._lock:
            compiled = self._compiled.get(statement)
            if compiled is None:
                compiled = self._compiled[statement] = statement.compile(self._engine)
            if self._connection is None:
                self._connection = self._engine.raw_connection()
            values = compiled.construct_params(dict(told))
            try:
                cursor = self._connection.cursor()
                cursor.execute(compiled.string, tuple(values[name] for name in compiled.positiontup or ()))
                found: tuple[Any, ...] | None = cursor.fetchone()
                cursor.close()
            except self._engine.dialect.loaded_dbapi.Error as error:
                self._hang_up()  # whatever it was, the next look has nothing to do with it
                base = self._engine.dialect.loaded_dbapi.Error
                raise DBAPIError.instance(compiled.string, None, error, base) from error
            return found

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
