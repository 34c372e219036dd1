"""How far the watch for drift has come in each stream."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "watches",
        sa.Column("stream_id", big, autoincrement=False, nullable=False),
        sa.Column("sample_n", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("alarms", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_watches_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_watches")),
    )
    with op.batch_alter_table("ledgers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("exploring_until", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("ledgers", schema=None) as batch_op:
        batch_op.drop_column("exploring_until")

    op.drop_table("watches")
