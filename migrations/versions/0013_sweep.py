"""How far the ranking of a queue has come is one number of the stream: a query's version needs no index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_OPEN = "state = 'open'"


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_queries_stalest", "queries")
    op.add_column("streams", sa.Column("ranked_seq", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Take back."""
    op.drop_column("streams", "ranked_seq")
    op.create_index(
        "ix_queries_stalest",
        "queries",
        ["stream_id", "ranked_at"],
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
