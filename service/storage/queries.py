"""The life of one query: opened, leased, skipped, ended, opened again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import AnyRow, late_answers, queries, samples, skips

OPEN, ANSWERED, SKIPPED, WITHDRAWN, EXPIRED = "open", "answered", "skipped", "withdrawn", "expired"


def insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Open queries."""
    if rows:
        connection.execute(queries.insert(), list(rows))


# Statements that every lease and answer runs are made once: making one takes longer than running it.
_ONE = sa.select(queries).where(queries.c.id == sa.bindparam("query_id"))


_CLOSE = (
    queries.update()
    .where(queries.c.id == sa.bindparam("query_id"))
    .values(state=sa.bindparam("ends"), closed_at=sa.bindparam("now"), lease_until=0)
)


def one(connection: Connection, query_id: str) -> AnyRow | None:
    """Return a query."""
    return connection.execute(_ONE, {"query_id": query_id}).one_or_none()


def seats(connection: Connection, sample_n: int) -> Sequence[AnyRow]:
    """Return all queries of one sample, in the order of their seats."""
    return connection.execute(sa.select(queries).where(queries.c.sample_n == sample_n).order_by(queries.c.seat)).all()


_Of = sa.BindParameter[Any]


def offered_to(by: _Of, now: _Of) -> sa.ColumnElement[bool]:
    """Return that a free query may go to `by`: not skipped, and no other seat of its sample held, answered or skipped.

    Of the free seats of a sample only the first is offered.
    """
    skipped = sa.exists().where(skips.c.query_id == queries.c.id, skips.c.by == by)
    other = queries.alias("other")
    skipped_other = sa.exists().where(skips.c.query_id == other.c.id, skips.c.by == by)
    has = (other.c.lease_by == by) & ((other.c.state == ANSWERED) | (other.c.lease_until > now))
    before = (other.c.seat < queries.c.seat) & (other.c.state == OPEN) & (other.c.lease_until <= now)
    taken = sa.exists().where(
        other.c.sample_n == queries.c.sample_n, other.c.id != queries.c.id, has | before | skipped_other
    )
    return ~skipped & ((queries.c.seats == 1) | ~taken)


_CLAIM = (
    queries.update()
    .where(queries.c.id == sa.bindparam("query_id"), queries.c.state == OPEN)
    .where(queries.c.lease_until <= sa.bindparam("now"), offered_to(sa.bindparam("who"), sa.bindparam("now")))
    .values(
        lease_token=sa.bindparam("token"),
        lease_by=sa.bindparam("who"),
        lease_until=sa.bindparam("until"),
        leased_at=sa.bindparam("now"),
    )
)


def claim(connection: Connection, query_id: str, *, token: str, by: str, until: int, now: int) -> bool:
    """Lease a query if it is open and free; return whether it was."""
    told = {"query_id": query_id, "token": token, "who": by, "until": until, "now": now}
    return connection.execute(_CLAIM, told).rowcount > 0


_SHOWN = (
    sa.select(
        queries.c.id,
        queries.c.reason,
        samples.c.id.label("sample_id"),
        samples.c.data,
        samples.c.display,
        samples.c.prediction,
        samples.c.uncertainty,
    )
    .join(samples, samples.c.n == queries.c.sample_n)
    .where(queries.c.id == sa.bindparam("query_id"))
)


def shown(connection: Connection, query_id: str) -> AnyRow | None:
    """Return a query with what its annotator is shown of the sample."""
    return connection.execute(_SHOWN, {"query_id": query_id}).one_or_none()


def extend(connection: Connection, query_id: str, until: int) -> None:
    """Move the end of a lease; a past moment frees the query."""
    connection.execute(queries.update().where(queries.c.id == query_id).values(lease_until=until))


def close(connection: Connection, query_id: str, state: str, now: int) -> None:
    """End a query."""
    connection.execute(_CLOSE, {"query_id": query_id, "ends": state, "now": now})


def forget_codes(connection: Connection, sample_numbers: Sequence[int]) -> None:
    """Drop the codes of samples whose payload goes."""
    connection.execute(queries.update().where(queries.c.sample_n.in_(sample_numbers)).values(code=None))


def reopen(connection: Connection, query_id: str, *, token: str | None, by: str | None, until: int, now: int) -> None:
    """Open an ended query again, leased from now until `until`; its age counts anew."""
    connection.execute(
        queries.update()
        .where(queries.c.id == query_id)
        .values(
            state=OPEN,
            opened_at=now,
            closed_at=None,
            lease_token=token,
            lease_by=by,
            lease_until=until,
            leased_at=now,
        )
    )


def skip(connection: Connection, query_id: str, by: str, reason: str, now: int) -> None:
    """Remember who skipped a query, and why."""
    connection.execute(skips.delete().where(skips.c.query_id == query_id, skips.c.by == by))
    connection.execute(skips.insert().values(query_id=query_id, by=by, reason=reason, at=now))


def was_skipped(connection: Connection, query_id: str, by: str, reason: str) -> bool:
    """Return whether `by` has skipped a query for just this reason."""
    same = (skips.c.query_id == query_id, skips.c.by == by, skips.c.reason == reason)
    return connection.execute(sa.select(skips.c.query_id).where(*same)).first() is not None


def keep_late_answer(connection: Connection, query_id: str, label: str, by: str, now: int) -> None:
    """Keep an answer that came after its lease, for audit; the same one again is the same."""
    same = (late_answers.c.query_id == query_id, late_answers.c.label == label, late_answers.c.by == by)
    if connection.execute(sa.select(late_answers.c.n).where(*same)).first() is None:
        connection.execute(late_answers.insert().values(query_id=query_id, label=label, by=by, at=now))
