"""Migrations make the tables that the code has, once or many times, alone or beside another process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import migrations
from service.storage import migrating
from service.storage.session import Database
from service.storage.tables import metadata, tokens


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def test_migrations_make_just_the_tables_that_the_code_has(empty_database_url: str) -> None:
    db = Database(empty_database_url)
    try:
        assert len(db.read_now(differences)) >= len(metadata.tables)  # an empty database has none of them
        db.migrate()
        assert db.read_now(differences) == []
        found = db.read_now(lambda c: set(sa.inspect(c).get_table_names()))
        assert found == {*metadata.tables, "alembic_version"}
    finally:
        db.close()


def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    db = Database(empty_database_url)
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


def test_the_newest_version_is_the_one_that_the_migration_tool_ends_with() -> None:
    folder = Path(migrations.__file__).parent
    assert migrating.newest(folder) == ScriptDirectory(str(folder)).get_current_head()


def test_a_start_on_the_newest_tables_runs_no_migration(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, ran = Database(empty_database_url), []
    upgrade = migrating._upgrade
    monkeypatch.setattr(migrating, "_upgrade", lambda *given: (ran.append(given), upgrade(*given)))
    try:
        db.migrate()
        assert len(ran) == 1
        db.migrate()
        assert len(ran) == 1
        db.write_now(lambda c: c.execute(sa.text("UPDATE alembic_version SET version_num = '0009'")))
        with pytest.raises(sa.exc.DBAPIError):  # the column that 0010 drops is gone already: it was tried
            db.migrate()
        assert len(ran) == 2
    finally:
        db.close()


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    dbs = [Database(empty_database_url) for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Database.migrate, dbs))
        assert dbs[0].read_now(differences) == []
    finally:
        for db in dbs:
            db.close()
