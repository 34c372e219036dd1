"""A queue that is found by index, codes of what was asked, and how many queries ended unanswered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ENDED = ("withdrawn", "expired")

_OPEN = "state = 'open'"
_INDEXES = {
    "ix_queries_best": (["utility DESC", "id"], _OPEN),
    "ix_queries_stalest": (["ranked_at"], _OPEN),
    "ix_queries_oldest": (["opened_at"], _OPEN),
    "ix_queries_explored": (["opened_at"], f"{_OPEN} AND reason = 'exploration'"),
    "ix_queries_leased": (["lease_until"], f"{_OPEN} AND lease_until > 0"),
    "ix_queries_coded": (["opened_at"], "code IS NOT NULL"),
}


def upgrade() -> None:
    """Apply."""
    op.add_column("queries", sa.Column("code", sa.LargeBinary(), nullable=True))
    op.drop_index("ix_queries_stream_id_state_utility", "queries")
    for name, (columns, where) in _INDEXES.items():
        listed = ["stream_id", *(sa.text(column) if " " in column else column for column in columns)]
        op.create_index(name, "queries", listed, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    for state in _ENDED:
        op.add_column("ledgers", sa.Column(state, sa.BigInteger(), server_default="0", nullable=False))
    op.execute(
        "UPDATE ledgers SET withdrawn = (SELECT count(*) FROM queries "
        "WHERE queries.stream_id = ledgers.stream_id AND queries.state = 'withdrawn')"
    )


def downgrade() -> None:
    """Take back; what expired is withdrawn in the version before."""
    op.execute("UPDATE queries SET state = 'withdrawn' WHERE state = 'expired'")
    for name in _INDEXES:
        op.drop_index(name, "queries")
    op.create_index("ix_queries_stream_id_state_utility", "queries", ["stream_id", "state", "utility"])
    with op.batch_alter_table("ledgers") as batch:
        for state in _ENDED:
            batch.drop_column(state)
    op.drop_column("queries", "code")  # in place: a rebuilt table would take what points to its rows with it
