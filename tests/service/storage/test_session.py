"""What a read sees is of one moment; what it does not see may be written meanwhile."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.session import Database
from service.storage.tables import tokens


def count(connection: Connection) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(tokens)).scalar_one())


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
