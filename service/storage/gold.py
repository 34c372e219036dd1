"""Samples whose label is known, and who was asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.queries import ANSWERED, OPEN, WITHDRAWN
from service.storage.tables import AnyRow, gold, gold_queries


def insert(connection: Connection, **values: Any) -> None:
    """Mark a sample."""
    connection.execute(gold.insert().values(**values))


def one(connection: Connection, stream_id: int, gold_id: str) -> AnyRow | None:
    """Return a marked sample, removed or not."""
    chosen = sa.select(gold).where(gold.c.stream_id == stream_id, gold.c.id == gold_id)
    return connection.execute(chosen).one_or_none()


def of_sample(connection: Connection, stream_id: int, sample_id: str) -> AnyRow | None:
    """Return the standing mark of a sample."""
    mine = (gold.c.stream_id == stream_id, gold.c.sample_id == sample_id, gold.c.removed_at.is_(None))
    return connection.execute(sa.select(gold).where(*mine)).first()


def page(connection: Connection, stream_id: int, after: str, limit: int) -> Sequence[AnyRow]:
    """Return standing marks in the order of their ids, each with how many answered and how many of them rightly."""
    answered = gold_queries.c.state == ANSWERED
    right = answered & (gold_queries.c.label == gold.c.label)
    chosen = (
        sa.select(
            gold.c.id,
            gold.c.sample_id,
            gold.c.label,
            gold.c.by,
            gold.c.at,
            sa.func.sum(sa.case((answered, 1), else_=0)).label("answers"),
            sa.func.sum(sa.case((right, 1), else_=0)).label("right"),
        )
        .outerjoin(gold_queries, gold_queries.c.gold_id == gold.c.id)
        .where(gold.c.stream_id == stream_id, gold.c.removed_at.is_(None), gold.c.id > after)
        .group_by(gold.c.id)
        .order_by(gold.c.id)
        .limit(limit)
    )
    return connection.execute(chosen).all()


def remove(connection: Connection, gold_id: str, now: int) -> None:
    """Ask nobody of a sample any more; what was answered stays."""
    connection.execute(gold.update().where(gold.c.id == gold_id).values(removed_at=now))
    asked = (gold_queries.c.gold_id == gold_id, gold_queries.c.state == OPEN)
    gone = {"state": WITHDRAWN, "closed_at": now, "lease_until": 0}
    connection.execute(gold_queries.update().where(*asked).values(**gone))


def given_back(connection: Connection, stream_id: int, by_id: str, now: int) -> AnyRow | None:
    """Return a query that this person was shown, and let go of unanswered."""
    mine = (gold_queries.c.stream_id == stream_id, gold_queries.c.by_id == by_id)
    chosen = sa.select(gold_queries).where(*mine, gold_queries.c.state == OPEN, gold_queries.c.lease_until <= now)
    return connection.execute(chosen.limit(1)).one_or_none()


def least_seen(connection: Connection, stream_id: int, by_id: str) -> str | None:
    """Return one of the samples that this person has seen least often, by chance, unless it is open to them now."""
    mine = (gold_queries.c.gold_id == gold.c.id, gold_queries.c.by_id == by_id)
    seen = sa.select(sa.func.count()).where(*mine).scalar_subquery()
    chosen = (
        sa.select(gold.c.id)
        .where(gold.c.stream_id == stream_id, gold.c.removed_at.is_(None))
        .where(~sa.exists().where(*mine, gold_queries.c.state == OPEN))
        .order_by(seen, sa.func.random())
        .limit(1)
    )
    return connection.execute(chosen).scalar_one_or_none()


def ask(connection: Connection, **values: Any) -> None:
    """Open a query."""
    connection.execute(gold_queries.insert().values(**values))


def query(connection: Connection, query_id: str) -> AnyRow | None:
    """Return a query, with the label that is right."""
    return connection.execute(_asked().where(gold_queries.c.id == query_id)).one_or_none()


def of_label(connection: Connection, label_id: str) -> AnyRow | None:
    """Return the query whose answer was told that label's id."""
    return connection.execute(_asked().where(gold_queries.c.label_id == label_id)).one_or_none()


def is_gold(row: AnyRow) -> bool:
    """Return whether a query's row is one of these, not one of the queue."""
    return hasattr(row, "gold_id")


def change(connection: Connection, query_id: str, **values: Any) -> None:
    """Change a query."""
    connection.execute(gold_queries.update().where(gold_queries.c.id == query_id).values(**values))


def extend(connection: Connection, query_id: str, until: int) -> None:
    """Move the end of a lease; a past moment frees the query."""
    change(connection, query_id, lease_until=until)


def shown(connection: Connection, query_id: str) -> AnyRow | None:
    """Return a query with what its annotator is shown of the sample: what a query of the queue shows."""
    columns = (gold.c.sample_id, gold.c.data, gold.c.display, gold.c.prediction, gold.c.uncertainty)
    joined = sa.select(gold_queries.c.id, gold_queries.c.reason, *columns).join(
        gold, gold.c.id == gold_queries.c.gold_id
    )
    return connection.execute(joined.where(gold_queries.c.id == query_id)).one_or_none()


def answered(connection: Connection, stream_id: int, after: str, limit: int) -> Sequence[AnyRow]:
    """Return answered queries in the order of their ids, with their samples."""
    chosen = (
        sa.select(gold_queries, gold.c.sample_id, gold.c.label.label("right"))
        .join(gold, gold.c.id == gold_queries.c.gold_id)
        .where(gold_queries.c.stream_id == stream_id, gold_queries.c.state == ANSWERED, gold_queries.c.id > after)
        .order_by(gold_queries.c.id)
        .limit(limit)
    )
    return connection.execute(chosen).all()


def _asked() -> sa.Select[Any]:
    return sa.select(gold_queries, gold.c.label.label("right")).join(gold, gold.c.id == gold_queries.c.gold_id)
