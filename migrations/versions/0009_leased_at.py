"""When a lease was granted, so that none lasts for ever."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = ("queries", "gold_queries")


def upgrade() -> None:
    """Apply; what is held counts as granted when it would have ended, so that nobody loses it."""
    for table in _TABLES:
        op.add_column(table, sa.Column("leased_at", sa.BigInteger(), server_default="0", nullable=False))
        op.execute(f"UPDATE {table} SET leased_at = lease_until WHERE state = 'open' AND lease_until > 0")


def downgrade() -> None:
    """Take back."""
    for table in _TABLES:
        op.drop_column(table, "leased_at")  # in place: a rebuilt table would take what points to its rows with it
