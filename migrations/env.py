"""Runs migrations on the connection that the service hands over, or on the settings' database from the command line."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from service.settings import Settings
from service.storage.tables import metadata


def run(connection: sa.Connection) -> None:
    """Apply what is missing, in the connection's transaction."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with sa.create_engine(Settings().database).begin() as own:
        run(own)
