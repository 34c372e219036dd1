"""Which worker writes which stream."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "writers",
        sa.Column(
            "stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_writers_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_writers")),
    )
    with op.batch_alter_table("writers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_writers_worker"), ["worker"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("writers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_writers_worker"))

    op.drop_table("writers")
    op.drop_table("workers")
