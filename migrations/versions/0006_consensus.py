"""Seats of queries, what each person answered, how reliable each is, and gold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ONE = ("uq_queries_sample_n", ("sample_n",))
_SEATS = ("uq_queries_sample_n_seat", ("sample_n", "seat"))


def upgrade() -> None:
    """Apply; what annotators answered so far is copied from the labels."""
    op.add_column("queries", sa.Column("seat", sa.Integer(), server_default="0", nullable=False))
    op.add_column("queries", sa.Column("seats", sa.Integer(), server_default="1", nullable=False))
    _exchange(_ONE, _SEATS)
    _make_answers()
    _make_gold()
    op.execute(
        "INSERT INTO answers (id, stream_id, sample_n, query_id, label_id, label, by, by_id, duration_ms, at, "
        "retracted_at) SELECT 'a' || substr(id, 2), stream_id, sample_n, query_id, id, label, by, by_id, duration_ms, "
        "at, retracted_at FROM labels WHERE query_id IS NOT NULL"
    )
    op.execute(
        "INSERT INTO annotators SELECT stream_id, by_id, min(by), count(*), 0, 0, 0, 0, 0, 0 FROM answers "
        "WHERE retracted_at IS NULL GROUP BY stream_id, by_id"
    )


def downgrade() -> None:
    """Take back; of each sample the first seat stays, with the label that the seats came to."""
    for table in ("gold_queries", "gold", "annotators", "answers"):
        op.drop_table(table)
    op.execute(
        "UPDATE labels SET query_id = (SELECT id FROM queries WHERE queries.sample_n = labels.sample_n AND seat = 0) "
        "WHERE query_id IS NOT NULL"
    )
    op.execute("DELETE FROM queries WHERE seat > 0")
    _exchange(_SEATS, _ONE)
    op.drop_column("queries", "seats")
    op.drop_column("queries", "seat")


def _make_answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("stream_id", _BIG, nullable=False),
        sa.Column("sample_n", _BIG, nullable=False),
        sa.Column("query_id", sa.Text(), nullable=False),
        sa.Column("label_id", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("chance", sa.Double(), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("retracted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_answers_stream_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["sample_n"], ["samples.n"], name=op.f("fk_answers_sample_n"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["query_id"], ["queries.id"], name=op.f("fk_answers_query_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name=op.f("fk_answers_label_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    for columns in (["sample_n"], ["query_id"], ["label_id"], ["stream_id", "by_id", "at"]):
        op.create_index(op.f(f"ix_answers_{'_'.join(columns)}"), "answers", columns)
    op.create_table(
        "annotators",
        sa.Column("stream_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("by_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        *(
            sa.Column(n, sa.BigInteger(), nullable=False)
            for n in ("answers", "compared", "agreed", "gold", "gold_right")
        ),
        *(sa.Column(n, sa.Double(), nullable=False) for n in ("right", "wrong")),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_annotators_stream_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", "by_id", name=op.f("pk_annotators")),
    )


def _make_gold() -> None:
    op.create_table(
        "gold",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("stream_id", _BIG, nullable=False),
        sa.Column("sample_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        *(sa.Column(n, sa.JSON(none_as_null=True)) for n in ("data", "display", "prediction", "uncertainty")),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_gold_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold")),
    )
    op.create_index(op.f("ix_gold_stream_id_sample_id"), "gold", ["stream_id", "sample_id"])
    op.create_table(
        "gold_queries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("stream_id", _BIG, nullable=False),
        sa.Column("gold_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("label_id", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_gold_queries_stream_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["gold_id"], ["gold.id"], name=op.f("fk_gold_queries_gold_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold_queries")),
        sa.UniqueConstraint("label_id", name=op.f("uq_gold_queries_label_id")),
    )
    for columns in (["stream_id", "by_id"], ["gold_id"]):
        op.create_index(op.f(f"ix_gold_queries_{'_'.join(columns)}"), "gold_queries", columns)


Unique = tuple[str, tuple[str, ...]]


def _exchange(old: Unique, new: Unique) -> None:
    """Put one unique constraint of the queries in another's place."""
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(_spelled(old), _spelled(new))
    else:
        op.drop_constraint(old[0], "queries", type_="unique")
        op.create_unique_constraint(new[0], "queries", list(new[1]))


def _spelled(unique: Unique) -> str:
    return f"CONSTRAINT {unique[0]} UNIQUE ({', '.join(unique[1])})"


_CHILDREN = {"skips": None, "late_answers": None, "labels": "query_id"}
"""Tables that point to queries; of labels only this column does."""


def _rebuild(old: str, new: str) -> None:
    """Make the table anew with other words in its definition, since SQLite changes no constraint in place.

    Dropping a table deletes its rows first, and with them the rows that point to them: these are put aside meanwhile.
    """
    bind = op.get_bind()
    found = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = 'queries' AND type = :type AND sql IS NOT NULL")
    definition = bind.execute(found, {"type": "table"}).scalar_one()
    indexes = bind.execute(found, {"type": "index"}).scalars().all()
    if definition.count(old) != 1:
        raise RuntimeError(f"the table of queries has no '{old}'")
    for table, column in _CHILDREN.items():
        where = "" if column is None else f" WHERE {column} IS NOT NULL"
        bind.exec_driver_sql(f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}{where}")
        bind.exec_driver_sql(f"DELETE FROM {table}" if column is None else f"UPDATE {table} SET {column} = NULL")
    made = definition.replace(old, new).replace("queries", "queries_anew", 1)
    bind.exec_driver_sql(made)
    bind.exec_driver_sql("INSERT INTO queries_anew SELECT * FROM queries")
    bind.exec_driver_sql("DROP TABLE queries")
    bind.exec_driver_sql("ALTER TABLE queries_anew RENAME TO queries")
    for index in indexes:
        bind.exec_driver_sql(index)
    for table, column in _CHILDREN.items():
        if column is None:
            bind.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        else:
            kept = f"(SELECT {column} FROM kept_{table} AS kept WHERE kept.id = {table}.id)"
            bind.exec_driver_sql(f"UPDATE {table} SET {column} = {kept}")
        bind.exec_driver_sql(f"DROP TABLE kept_{table}")
