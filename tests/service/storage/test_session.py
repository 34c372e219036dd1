"""What a read sees is of one moment; what it does not see may be written meanwhile."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.session import Database
from service.storage.tables import tokens

COUNT = sa.select(sa.func.count()).select_from(tokens)


def count(connection: Connection) -> int:
    return int(connection.execute(COUNT).scalar_one())


def test_one_read_is_of_one_moment_whatever_is_written_meanwhile(database_url: str) -> None:
    db = Database(database_url)
    try:
        db.migrate()
        row = {"id": "t", "name": "n", "role": "viewer", "hash": "h", "created_at": 1}

        def look(connection: Connection) -> tuple[int, int]:
            before = count(connection)
            db.write_now(lambda c: c.execute(tokens.insert().values(row)) and None)
            return before, count(connection)

        assert db.read_now(look) == (0, 0)
        assert db.read_now(count) == 1
    finally:
        db.close()


def test_a_glance_sees_the_newest_and_keeps_nothing_from_being_copied(database_url: str) -> None:
    """Also after one that failed."""
    db = Database(database_url)
    try:
        db.migrate()
        for number in range(3):
            row = {"id": f"t{number}", "name": "n", "role": "viewer", "hash": f"h{number}", "created_at": 1}
            assert asyncio.run(db.glance(COUNT)) == (number,)
            with pytest.raises((sa.exc.OperationalError, sa.exc.ProgrammingError)):
                asyncio.run(db.glance(sa.select(sa.column("n")).select_from(sa.table("nowhere"))))
            assert asyncio.run(db.glance(COUNT)) == (number,)
            db.write_now(lambda c, row=row: c.execute(tokens.insert().values(row)) and None)
        if db.embedded:
            assert asyncio.run(db.glance(COUNT)) == (3,)
            with sqlite3.connect(db.url.database) as connection:
                busy, ahead, copied = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert (busy, ahead, copied) == (0, 0, 0)
    finally:
        db.close()


@pytest.mark.parametrize(
    "said",
    [{"seed": 2**64 - 1, "least": -(2**63)}, [1e-300, 0.1, -0.0], {"half": "\ud800"}, None, "", [math.inf, -math.inf]],
)
def test_a_column_of_json_says_what_was_written(tmp_path: Path, said: Any) -> None:
    """Also what Python writes and the quick reader refuses."""
    db = Database(f"sqlite:///{tmp_path / 'engram.db'}")
    table = sa.Table("said", sa.MetaData(), sa.Column("it", sa.JSON))
    try:
        db.write_now(table.create)
        db.write_now(lambda c: c.execute(table.insert().values(it=said)) and None)
        found = db.read_now(lambda c: c.execute(sa.select(table.c.it)).scalar_one())
        assert (repr(found), type(found)) == (repr(said), type(said))
    finally:
        db.close()
