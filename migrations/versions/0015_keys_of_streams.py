"""An answer remembered under an Idempotency-Key goes with its stream."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; of what is remembered already the stream is not known, and its time is soon over."""
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_idempotency_stream_id"), "streams", ["stream_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_index(batch_op.f("ix_idempotency_stream_id"), ["stream_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_stream_id"))
        batch_op.drop_constraint(batch_op.f("fk_idempotency_stream_id"), type_="foreignkey")
        batch_op.drop_column("stream_id")
