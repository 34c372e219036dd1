"""What an honest accuracy needs at hand: samples by propensity, and labels with what their samples were given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_EDGES = tuple(2.0**-octave for octave in range(16))


def upgrade() -> None:
    """Apply."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "strata",
        sa.Column("stream_id", big, autoincrement=False, nullable=False),
        sa.Column("stratum", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("least", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_strata_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", "stratum", name=op.f("pk_strata")),
    )
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.add_column(sa.Column("predicted", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("asked", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("propensity", sa.Double(), nullable=True))
        batch_op.create_index(
            "ix_labels_standing",
            ["stream_id", "propensity", "asked", "correct", "predicted", "label", "source"],
            unique=False,
            sqlite_where=sa.text("retracted_at IS NULL"),
            postgresql_where=sa.text("retracted_at IS NULL"),
        )
    _fill()


def _fill() -> None:
    """Count the samples that are there, and note with their labels what they were given."""
    samples = sa.table(
        "samples",
        *(sa.column(name, sa.BigInteger()) for name in ("n", "stream_id")),
        sa.column("propensity", sa.Double()),
        sa.column("asked", sa.Boolean()),
        sa.column("prediction", sa.JSON(none_as_null=True)),
        sa.column("predictive_entropy", sa.Double()),
    )
    labels = sa.table("labels", *(sa.column(name) for name in ("sample_n", "predicted", "asked", "propensity")))
    names = ("stream_id", "stratum", "samples", "asked", "least")
    strata = sa.table("strata", *(sa.column(name) for name in names))
    p = samples.c.propensity
    whens = ((p.is_(None), -1), (p <= 0.0, -2), *((p >= edge, index) for index, edge in enumerate(_EDGES)))
    stratum = sa.case(*whens, else_=len(_EDGES))
    counted = (
        sa.select(
            samples.c.stream_id,
            stratum,
            sa.func.count(),
            sa.func.sum(sa.case((samples.c.asked, 1), else_=0)),
            sa.func.min(sa.func.coalesce(p, 1.0)),
        )
        .where(samples.c.predictive_entropy.is_not(None))
        .group_by(samples.c.stream_id, stratum)
    )
    op.execute(strata.insert().from_select(list(names), counted))
    given = {"predicted": samples.c.prediction["label"].as_string(), "asked": samples.c.asked, "propensity": p}
    of_sample = {
        name: sa.select(column).where(samples.c.n == labels.c.sample_n).scalar_subquery()
        for name, column in given.items()
    }
    op.execute(labels.update().values(**of_sample))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.drop_index("ix_labels_standing")
        batch_op.drop_column("propensity")
        batch_op.drop_column("asked")
        batch_op.drop_column("predicted")

    op.drop_table("strata")
