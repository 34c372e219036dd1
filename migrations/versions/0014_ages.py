"""Samples are counted by the age of the model that predicted, too, and labels know the version of theirs."""

from __future__ import annotations

import math

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_EDGES = tuple(2.0**-octave for octave in range(16))
_YOUNGEST = tuple(sorted({math.ceil(2.0 ** (half / 2)) for half in range(47)}))
_STANDING = ("stream_id", "propensity", "asked", "correct", "predicted", "label", "source")


def upgrade() -> None:
    """Apply; what counts the samples is counted anew from them."""
    op.drop_table("strata")
    _create_strata(sa.Column("age", sa.BigInteger(), autoincrement=False, nullable=False))
    _fill(by_age=True)
    op.drop_index("ix_labels_standing", "labels")
    op.add_column("labels", sa.Column("model_version", sa.BigInteger(), nullable=True))
    _index_standing("model_version")
    op.execute(
        "UPDATE labels SET model_version = (SELECT model_version FROM samples WHERE samples.n = labels.sample_n)"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_labels_standing", "labels")
    op.drop_column("labels", "model_version")
    _index_standing()
    op.drop_table("strata")
    _create_strata()
    _fill(by_age=False)


def _create_strata(*more: sa.Column[int]) -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    key = ["stream_id", "stratum", *(column.name for column in more)]
    op.create_table(
        "strata",
        sa.Column("stream_id", big, autoincrement=False, nullable=False),
        sa.Column("stratum", sa.BigInteger(), autoincrement=False, nullable=False),
        *more,
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("least", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_strata_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_strata")),
    )


def _index_standing(*more: str) -> None:
    where, columns = sa.text("retracted_at IS NULL"), [*_STANDING, *more]
    op.create_index("ix_labels_standing", "labels", columns, sqlite_where=where, postgresql_where=where)


def _fill(*, by_age: bool) -> None:
    """Count the samples that are there."""
    samples = sa.table(
        "samples",
        sa.column("stream_id", sa.BigInteger()),
        sa.column("propensity", sa.Double()),
        sa.column("asked", sa.Boolean()),
        sa.column("model_version", sa.BigInteger()),
        sa.column("predictive_entropy", sa.Double()),
    )
    p, version = samples.c.propensity, samples.c.model_version
    whens = ((p.is_(None), -1), (p <= 0.0, -2), *((p >= edge, index) for index, edge in enumerate(_EDGES)))
    stratum = sa.case(*whens, else_=len(_EDGES))
    ages = reversed(list(enumerate(_YOUNGEST, start=1)))
    age = sa.case(*((version >= youngest, age) for age, youngest in ages), else_=0)
    by = {"stream_id": samples.c.stream_id, "stratum": stratum} | ({"age": age} if by_age else {})
    sums = {
        "samples": sa.func.count(),
        "asked": sa.func.sum(sa.case((samples.c.asked, 1), else_=0)),
        "least": sa.func.min(sa.func.coalesce(p, 1.0)),
    }
    strata = sa.table("strata", *(sa.column(name) for name in (*by, *sums)))
    counted = sa.select(*by.values(), *sums.values()).where(samples.c.predictive_entropy.is_not(None))
    op.execute(strata.insert().from_select([*by, *sums], counted.group_by(*by.values())))
