"""The tables' newest version, which every start makes sure of."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

_VERSION_TABLE = "alembic_version"


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest version, in the connection's transaction; others who would wait for it."""
    _hold_others_off(connection)
    with as_file(files("migrations")) as folder:
        if _version(connection) != newest(folder):
            _upgrade(connection, folder)


def newest(folder: Path) -> str:
    """Return the version that the last migration makes: their files are named by version, in order."""
    return max(path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*.py"))


def _version(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION_TABLE):
        return None
    found: str | None = connection.scalar(sa.select(sa.column("version_num")).select_from(sa.table(_VERSION_TABLE)))
    return found


def _upgrade(connection: Connection, folder: Path) -> None:
    import alembic.command  # noqa: PLC0415 - a start without anything to migrate is sooner done without it
    import alembic.config  # noqa: PLC0415

    config = alembic.config.Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def _hold_others_off(connection: Connection) -> None:
    """Hold other processes off until this transaction ends; SQLite's own write lock already does."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7224461200)"))
