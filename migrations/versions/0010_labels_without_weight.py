"""What a label weighs follows from its propensity: nothing reads the column."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; in place: a rebuilt table would take what points to its rows with it."""
    op.drop_column("labels", "weight")


def downgrade() -> None:
    """Take back."""
    op.add_column("labels", sa.Column("weight", sa.Double(), nullable=True))
    op.execute("UPDATE labels SET weight = CASE WHEN asked THEN 1.0 / propensity ELSE 1.0 END")
