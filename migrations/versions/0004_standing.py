"""Where spending stands becomes one value; samples keep what they were decided by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OLD = sa.table(
    "ledgers",
    *map(sa.column, ("stream_id", "samples", "asked", "seen", "spent", "threshold")),
    sa.column("standing", sa.JSON(none_as_null=True)),
)
_MIDDLE = 6.5


def upgrade() -> None:
    """Apply: the threshold and the counts are kept, the buckets begin half full."""
    op.add_column("ledgers", sa.Column("standing", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("ledgers", sa.Column("turn", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("samples", sa.Column("utility", sa.Double(), nullable=True))
    op.add_column("samples", sa.Column("threshold", sa.Double(), nullable=True))
    connection = op.get_bind()
    for row in connection.execute(sa.select(_OLD)).all():
        standing = {
            "seen": row.seen,
            "spent": row.spent,
            "free": row.asked - row.spent,
            "threshold": row.threshold,
            "granted": None,
            "buckets": {"share": _MIDDLE, "hour": _MIDDLE, "day": _MIDDLE, "at": None},
        }
        here = _OLD.update().where(_OLD.c.stream_id == row.stream_id)
        connection.execute(here.values(standing=standing))
    for name in ("threshold", "spent", "seen"):
        op.drop_column("ledgers", name)


def downgrade() -> None:
    """Take back: the counts and the threshold as they stand."""
    op.add_column("ledgers", sa.Column("seen", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("ledgers", sa.Column("spent", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("ledgers", sa.Column("threshold", sa.Double(), nullable=False, server_default="0.1"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(_OLD).where(_OLD.c.standing.is_not(None))).all():
        kept = {name: row.standing[name] for name in ("seen", "spent", "threshold")}
        connection.execute(_OLD.update().where(_OLD.c.stream_id == row.stream_id).values(**kept))
    for table, name in (("samples", "threshold"), ("samples", "utility"), ("ledgers", "turn"), ("ledgers", "standing")):
        op.drop_column(table, name)
    with op.batch_alter_table("ledgers", schema=None) as batch_op:
        for name in ("seen", "spent", "threshold"):
            batch_op.alter_column(name, server_default=None)
