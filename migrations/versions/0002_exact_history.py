"""A chained log, snapshots that know their revisions, jobs, and what is kept how long."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PAGE = 1000


def upgrade() -> None:
    """Apply."""
    op.add_column("streams", sa.Column("retention", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("streams", sa.Column("horizon_seq", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("samples", sa.Column("purged_at", sa.BigInteger(), nullable=True))
    op.add_column("labels", sa.Column("corrected_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_samples_unpurged",
        "samples",
        ["stream_id", "at"],
        unique=False,
        sqlite_where=sa.text("purged_at IS NULL"),
        postgresql_where=sa.text("purged_at IS NULL"),
    )
    op.add_column("log", sa.Column("detail", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("log", sa.Column("due_at", sa.BigInteger(), nullable=True))
    op.add_column("log", sa.Column("hash", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.create_index(op.f("ix_log_stream_id_kind_seq"), "log", ["stream_id", "kind", "seq"], unique=False)
    _chain()
    _snapshots()
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("label_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_jobs_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_label_id"), "jobs", ["label_id"], unique=False)
    op.create_index(op.f("ix_jobs_stream_id_state_seq"), "jobs", ["stream_id", "state", "seq"], unique=False)


def _chain() -> None:
    """Hash the entries that are there already, each over the one before."""
    log = sa.table(
        "log",
        *(sa.column(name) for name in ("stream_id", "seq", "kind", "label", "target_seq", "at", "hash")),
        sa.column("features", sa.LargeBinary),
    )
    connection = op.get_bind()
    stream, seq, before = -1, 0, ""
    while True:
        later = sa.or_(log.c.stream_id > stream, sa.and_(log.c.stream_id == stream, log.c.seq > seq))
        page = connection.execute(sa.select(log).where(later).order_by(log.c.stream_id, log.c.seq).limit(_PAGE)).all()
        hashed = []
        for row in page:
            before = _link("" if row.stream_id != stream else before, row)
            stream, seq = row.stream_id, row.seq
            hashed.append({"of": stream, "number": seq, "value": before})
        if hashed:
            chosen = log.update().where(log.c.stream_id == sa.bindparam("of"), log.c.seq == sa.bindparam("number"))
            connection.execute(chosen.values(hash=sa.bindparam("value")), hashed)
        if len(page) < _PAGE:
            return


def _link(before: str, row: Any) -> str:
    digest = None if row.features is None else hashlib.sha256(row.features).hexdigest()
    content = [row.seq, row.kind, row.label, digest, row.target_seq, row.at, None]
    said = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{said}".encode()).hexdigest()


def _snapshots() -> None:
    """Make the table anew: its key grows."""
    op.rename_table("snapshots", "snapshots_0001")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute("ALTER TABLE snapshots_0001 RENAME CONSTRAINT pk_snapshots TO pk_snapshots_0001")
    op.create_table(
        "snapshots",
        sa.Column(
            "stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("header", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("damaged_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_snapshots_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", "seq", "as_of", name=op.f("pk_snapshots")),
    )
    names = ("stream_id", "seq", "as_of", "number", "hash", "content_hash", "at")
    old = sa.table("snapshots_0001", *map(sa.column, ("stream_id", "seq", "hash", "content", "at")))
    new = sa.table("snapshots", *map(sa.column, (*names, "content")), sa.column("pinned", sa.Boolean))
    keys = connection.execute(sa.select(old.c.stream_id, old.c.seq).order_by(old.c.stream_id, old.c.seq)).all()
    for number, (stream, seq) in enumerate(keys, 1):
        chosen = sa.select(old.c.hash, old.c.content, old.c.at).where(old.c.stream_id == stream, old.c.seq == seq)
        row = connection.execute(chosen).one()
        connection.execute(
            new.insert().values(
                stream_id=stream,
                seq=seq,
                as_of=seq,
                number=number,
                hash=row.hash,
                content=row.content,
                content_hash=hashlib.sha256(row.content).hexdigest(),
                pinned=False,
                at=row.at,
            )
        )
    op.drop_table("snapshots_0001")


def downgrade() -> None:
    """Take back; snapshots go, since the log makes them anew."""
    op.drop_index(op.f("ix_jobs_stream_id_state_seq"), table_name="jobs")
    op.drop_index(op.f("ix_jobs_label_id"), table_name="jobs")
    op.drop_table("jobs")
    op.drop_table("snapshots")
    op.create_table(
        "snapshots",
        sa.Column(
            "stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_snapshots_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", "seq", name=op.f("pk_snapshots")),
    )
    op.drop_index(op.f("ix_log_stream_id_kind_seq"), table_name="log")
    op.drop_index("ix_samples_unpurged", table_name="samples")
    for table, columns in (
        ("log", ("hash", "due_at", "detail")),
        ("labels", ("corrected_at",)),
        ("samples", ("purged_at",)),
        ("streams", ("horizon_seq", "retention")),
    ):
        for column in columns:
            op.drop_column(table, column)
