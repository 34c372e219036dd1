"""Every table. Times are microseconds since 1970 UTC; what the model said and what a person said stay apart."""

from __future__ import annotations

from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Row, Table, UniqueConstraint

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows up only where the key is called INTEGER.
Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True)
Double = sa.Double

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row whose columns the query names."""


def _stream() -> Column[int]:
    return Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE"), nullable=False)


tokens = Table(
    "tokens",
    metadata,
    Column("id", sa.Text, primary_key=True),
    Column("name", sa.Text, nullable=False),
    Column("role", sa.Text, nullable=False),
    Column("hash", sa.Text, nullable=False, unique=True),
    Column("created_at", sa.BigInteger, nullable=False),
    Column("revoked_at", sa.BigInteger),
)

streams = Table(
    "streams",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("name", sa.Text, nullable=False, unique=True),
    Column("input", JSON, nullable=False),
    Column("initial_classes", JSON, nullable=False),
    Column("classes", JSON, nullable=False),
    Column("open_classes", sa.Boolean, nullable=False),
    Column("learner", JSON, nullable=False),
    Column("query", JSON, nullable=False),
    Column("guidelines", sa.Text, nullable=False),
    Column("colours", JSON, nullable=False),
    Column("created_at", sa.BigInteger, nullable=False),
    Column("log_seq", sa.BigInteger, nullable=False),
    Column("applied_seq", sa.BigInteger, nullable=False),
    Column("retention", JSON),
    Column("horizon_seq", sa.BigInteger, nullable=False, server_default="0"),
    Column("ranked_seq", sa.BigInteger, nullable=False, server_default="0"),
)

ledgers = Table(
    "ledgers",
    metadata,
    Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("samples", sa.BigInteger, nullable=False),
    Column("labels", sa.BigInteger, nullable=False),
    Column("asked", sa.BigInteger, nullable=False),
    Column("open", sa.BigInteger, nullable=False),
    Column("answered", sa.BigInteger, nullable=False),
    Column("skipped", sa.BigInteger, nullable=False),
    Column("withdrawn", sa.BigInteger, nullable=False, server_default="0"),
    Column("expired", sa.BigInteger, nullable=False, server_default="0"),
    Column("standing", JSON),
    Column("turn", sa.BigInteger, nullable=False, server_default="0"),
    Column("exploring_until", sa.BigInteger, nullable=False, server_default="0"),
)

samples = Table(
    "samples",
    metadata,
    Column("n", Big, primary_key=True, autoincrement=True),
    _stream(),
    Column("id", sa.Text, nullable=False),
    Column("data", JSON),
    Column("display", JSON),
    Column("features", sa.LargeBinary, nullable=False),
    Column("prediction", JSON),
    Column("uncertainty", JSON),
    Column("predictive_entropy", Double),
    Column("epistemic", Double),
    Column("variation_ratio", Double),
    Column("model_version", sa.BigInteger, nullable=False),
    Column("asked", sa.Boolean, nullable=False),
    Column("propensity", Double),
    Column("utility", Double),
    Column("threshold", Double),
    Column("at", sa.BigInteger, nullable=False),
    Column("purged_at", sa.BigInteger),
    UniqueConstraint("stream_id", "id"),
    Index(None, "stream_id", "n"),
    Index(None, "stream_id", "at"),
)

Index(
    "ix_samples_unpurged",
    samples.c.stream_id,
    samples.c.at,
    sqlite_where=samples.c.purged_at.is_(None),
    postgresql_where=samples.c.purged_at.is_(None),
)

strata = Table(
    "strata",
    metadata,
    Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("stratum", sa.BigInteger, primary_key=True, autoincrement=False),
    # Of the models that predicted: the higher their version, the older.
    Column("age", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("samples", sa.BigInteger, nullable=False),
    Column("asked", sa.BigInteger, nullable=False),
    Column("least", Double, nullable=False),
)

queries = Table(
    "queries",
    metadata,
    Column("id", sa.Text, primary_key=True),
    _stream(),
    Column("sample_n", Big, ForeignKey("samples.n", ondelete="CASCADE"), nullable=False),
    # A sample that several people shall answer has a query for each: its seats, of which `seats` were asked at first.
    Column("seat", sa.Integer, nullable=False, server_default="0"),
    Column("seats", sa.Integer, nullable=False, server_default="1"),
    Column("state", sa.Text, nullable=False),
    Column("reason", sa.Text, nullable=False),
    Column("propensity", Double, nullable=False),
    Column("utility", Double, nullable=False),
    Column("ranked_at", sa.BigInteger, nullable=False),
    Column("lease_token", sa.Text),
    Column("lease_by", sa.Text),
    Column("lease_until", sa.BigInteger, nullable=False),
    # When the lease was granted, however often it was prolonged since; 0 before the first.
    Column("leased_at", sa.BigInteger, nullable=False, server_default="0"),
    Column("opened_at", sa.BigInteger, nullable=False),
    Column("closed_at", sa.BigInteger),
    # The packed binary code of the sample, for what is near to it; gone where nothing may be near it any more.
    Column("code", sa.LargeBinary),
    UniqueConstraint("sample_n", "seat"),
)


def _index_of_queries(name: str, *columns: Any, where: str) -> None:
    """Index a part of the queries only, so that a queue costs what is open, however many were answered."""
    Index(name, queries.c.stream_id, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


_index_of_queries("ix_queries_best", queries.c.utility.desc(), queries.c.id, where="state = 'open'")
_index_of_queries("ix_queries_oldest", queries.c.opened_at, where="state = 'open'")
_index_of_queries("ix_queries_explored", queries.c.opened_at, where="state = 'open' AND reason = 'exploration'")
_index_of_queries("ix_queries_leased", queries.c.lease_until, where="state = 'open' AND lease_until > 0")
_index_of_queries("ix_queries_coded", queries.c.opened_at, where="code IS NOT NULL")

skips = Table(
    "skips",
    metadata,
    Column("query_id", sa.Text, ForeignKey("queries.id", ondelete="CASCADE"), primary_key=True),
    Column("by", sa.Text, primary_key=True),
    Column("reason", sa.Text, nullable=False),
    Column("at", sa.BigInteger, nullable=False),
)

labels = Table(
    "labels",
    metadata,
    Column("id", sa.Text, primary_key=True),
    _stream(),
    Column("sample_n", Big, ForeignKey("samples.n", ondelete="CASCADE"), nullable=False),
    Column("query_id", sa.Text, ForeignKey("queries.id", ondelete="CASCADE")),
    Column("label", sa.Text, nullable=False),
    Column("seq", sa.BigInteger, nullable=False),
    Column("source", sa.Text, nullable=False),
    Column("by", sa.Text, nullable=False),
    Column("by_id", sa.Text, nullable=False),
    Column("duration_ms", sa.BigInteger),
    Column("correct", sa.Boolean),
    Column("predicted", sa.Text),
    Column("asked", sa.Boolean),
    Column("propensity", Double),
    Column("model_version", sa.BigInteger),
    Column("at", sa.BigInteger, nullable=False),
    Column("retracted_at", sa.BigInteger),
    Column("corrected_at", sa.BigInteger),
    UniqueConstraint("stream_id", "seq"),
    Index(None, "sample_n"),
    Index(None, "query_id"),
    Index(None, "stream_id", "at"),
)

# What each person said; what was learned of it is a label. `chance` is how probable it is that the answer is right.
answers = Table(
    "answers",
    metadata,
    Column("id", sa.Text, primary_key=True),
    _stream(),
    Column("sample_n", Big, ForeignKey("samples.n", ondelete="CASCADE"), nullable=False),
    Column("query_id", sa.Text, ForeignKey("queries.id", ondelete="CASCADE"), nullable=False),
    Column("label_id", sa.Text, ForeignKey("labels.id", ondelete="CASCADE")),
    Column("label", sa.Text, nullable=False),
    Column("by", sa.Text, nullable=False),
    Column("by_id", sa.Text, nullable=False),
    Column("duration_ms", sa.BigInteger),
    Column("chance", Double),
    Column("agreed", sa.Boolean),
    Column("at", sa.BigInteger, nullable=False),
    Column("retracted_at", sa.BigInteger),
    Index(None, "sample_n"),
    Index(None, "query_id"),
    Index(None, "label_id"),
    Index(None, "stream_id", "by_id", "at"),
)

annotators = Table(
    "annotators",
    metadata,
    Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("by_id", sa.Text, primary_key=True),
    Column("by", sa.Text, nullable=False),
    Column("answers", sa.BigInteger, nullable=False),
    Column("compared", sa.BigInteger, nullable=False),
    Column("agreed", sa.BigInteger, nullable=False),
    Column("gold", sa.BigInteger, nullable=False),
    Column("gold_right", sa.BigInteger, nullable=False),
    Column("right", Double, nullable=False),
    Column("wrong", Double, nullable=False),
)

# A sample whose label is known, as it was when it was marked: it outlives the sample's own payload.
gold = Table(
    "gold",
    metadata,
    Column("id", sa.Text, primary_key=True),
    _stream(),
    Column("sample_id", sa.Text, nullable=False),
    Column("label", sa.Text, nullable=False),
    Column("data", JSON),
    Column("display", JSON),
    Column("prediction", JSON),
    Column("uncertainty", JSON),
    Column("by", sa.Text, nullable=False),
    Column("at", sa.BigInteger, nullable=False),
    Column("removed_at", sa.BigInteger),
    Index(None, "stream_id", "sample_id"),
)

gold_queries = Table(
    "gold_queries",
    metadata,
    Column("id", sa.Text, primary_key=True),
    _stream(),
    Column("gold_id", sa.Text, ForeignKey("gold.id", ondelete="CASCADE"), nullable=False),
    Column("by", sa.Text, nullable=False),
    Column("by_id", sa.Text, nullable=False),
    Column("state", sa.Text, nullable=False),
    Column("reason", sa.Text, nullable=False),
    Column("lease_token", sa.Text),
    Column("lease_until", sa.BigInteger, nullable=False),
    Column("leased_at", sa.BigInteger, nullable=False, server_default="0"),
    Column("label_id", sa.Text, unique=True),
    Column("label", sa.Text),
    Column("duration_ms", sa.BigInteger),
    Column("opened_at", sa.BigInteger, nullable=False),
    Column("closed_at", sa.BigInteger),
    Index(None, "stream_id", "by_id"),
    Index(None, "gold_id"),
)

Index(
    "ix_labels_standing",
    labels.c.stream_id,
    labels.c.propensity,
    labels.c.asked,
    labels.c.correct,
    labels.c.predicted,
    labels.c.label,
    labels.c.source,
    labels.c.model_version,
    sqlite_where=labels.c.retracted_at.is_(None),
    postgresql_where=labels.c.retracted_at.is_(None),
)

late_answers = Table(
    "late_answers",
    metadata,
    Column("n", Big, primary_key=True, autoincrement=True),
    Column("query_id", sa.Text, ForeignKey("queries.id", ondelete="CASCADE"), nullable=False),
    Column("label", sa.Text, nullable=False),
    Column("by", sa.Text, nullable=False),
    Column("at", sa.BigInteger, nullable=False),
    Index(None, "query_id"),
)

log = Table(
    "log",
    metadata,
    Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("kind", sa.Text, nullable=False),
    Column("label", sa.Text),
    Column("features", sa.LargeBinary),
    Column("target_seq", sa.BigInteger),
    Column("at", sa.BigInteger, nullable=False),
    Column("detail", JSON),
    Column("due_at", sa.BigInteger),
    Column("hash", sa.Text, nullable=False, server_default=sa.text("''")),
    Index(None, "stream_id", "kind", "seq"),
)

updates = Table(
    "updates",
    metadata,
    Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("loss_bits", Double),
    Column("mean_step", Double, nullable=False),
    Column("lag", sa.BigInteger, nullable=False),
    Column("at", sa.BigInteger, nullable=False),
    Index(None, "stream_id", "at"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("as_of", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("number", sa.BigInteger, nullable=False),
    Column("hash", sa.Text, nullable=False),
    Column("content", sa.LargeBinary, nullable=False),
    Column("content_hash", sa.Text, nullable=False),
    Column("header", JSON),
    Column("pinned", sa.Boolean, nullable=False),
    Column("at", sa.BigInteger, nullable=False),
    Column("damaged_at", sa.BigInteger),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", sa.Text, primary_key=True),
    _stream(),
    Column("kind", sa.Text, nullable=False),
    Column("seq", sa.BigInteger, nullable=False),
    Column("label_id", sa.Text),
    Column("state", sa.Text, nullable=False),
    Column("done", sa.BigInteger, nullable=False),
    Column("total", sa.BigInteger),
    Column("error", sa.Text),
    Column("created_at", sa.BigInteger, nullable=False),
    Column("started_at", sa.BigInteger),
    Column("finished_at", sa.BigInteger),
    Index(None, "stream_id", "state", "seq"),
    Index(None, "label_id"),
)

workers = Table(
    "workers",
    metadata,
    Column("id", sa.Text, primary_key=True),
    Column("started_at", sa.BigInteger, nullable=False),
    Column("expires_at", sa.BigInteger, nullable=False),
)

writers = Table(
    "writers",
    metadata,
    Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    # No foreign key: a worker that is gone frees its streams by being gone.
    Column("worker", sa.Text),
    Column("fence", sa.BigInteger, nullable=False),
    Index(None, "worker"),
)

watches = Table(
    "watches",
    metadata,
    Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("sample_n", sa.BigInteger, nullable=False),
    Column("seq", sa.BigInteger, nullable=False),
    Column("state", JSON, nullable=False),
    Column("alarms", JSON, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    _stream(),
    Column("type", sa.Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("at", sa.BigInteger, nullable=False),
    Index(None, "stream_id", "id"),
    # Ids are never used twice, so that a subscriber that resumes misses nothing.
    sqlite_autoincrement=True,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", sa.Text, primary_key=True),
    Column("key", sa.Text, primary_key=True),
    Column("body_hash", sa.Text, nullable=False),
    Column("status", sa.Integer, nullable=False),
    Column("answer", JSON),
    Column("at", sa.BigInteger, nullable=False),
    Column("stream_id", Big, ForeignKey("streams.id", ondelete="CASCADE")),
    Index(None, "at"),
    Index(None, "stream_id"),
)
