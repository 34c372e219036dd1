"""Migrations make the tables that the code has, once or many times, alone or beside another process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from service.storage.session import Database
from service.storage.tables import metadata, tokens


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def test_migrations_make_just_the_tables_that_the_code_has(database_url: str) -> None:
    db = Database(database_url)
    try:
        assert len(db.read_now(differences)) >= len(metadata.tables)  # an empty database has none of them
        db.migrate()
        assert db.read_now(differences) == []
        found = db.read_now(lambda c: set(sa.inspect(c).get_table_names()))
        assert found == {*metadata.tables, "alembic_version"}
    finally:
        db.close()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    db = Database(database_url)
    try:
        db.migrate()
        row = {"id": "t", "name": "n", "role": "viewer", "hash": "h", "created_at": 1}
        db.write_now(lambda c: c.execute(tokens.insert().values(row)))
        db.migrate()
        db.migrate()
        assert db.read_now(differences) == []
        assert db.read_now(lambda c: c.execute(sa.select(tokens.c.id)).scalars().all()) == ["t"]
        assert len(db.read_now(lambda c: c.execute(sa.text("SELECT * FROM alembic_version")).all())) == 1
    finally:
        db.close()


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    dbs = [Database(database_url) for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Database.migrate, dbs))
        assert dbs[0].read_now(differences) == []
    finally:
        for db in dbs:
            db.close()
