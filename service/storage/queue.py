"""The open queries of a stream, by each order in which somebody looks for them; every look walks an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.queries import offered_to
from service.storage.tables import AnyRow, queries, samples

# Written out, not bound: a database sees that the index of just these rows will do.
_OPEN = queries.c.state == sa.literal_column("'open'")
_EXPLORED = queries.c.reason == sa.literal_column("'exploration'")
_LEASED = queries.c.lease_until > sa.literal_column("0")

_COLUMNS = (
    queries.c.id,
    queries.c.sample_n,
    queries.c.seat,
    queries.c.utility,
    queries.c.ranked_at,
    queries.c.reason,
    queries.c.propensity,
    queries.c.opened_at,
)


class Place(NamedTuple):
    """A place in the order of utility: that of a query."""

    utility: float
    id: str


def best(
    connection: Connection, stream_id: int, by: str, now: int, limit: int, after: Place | None = None
) -> Sequence[AnyRow]:
    """Return the next open queries by their last known utility, each with whether `by` may have it (`offered`)."""
    chosen = _offers(stream_id, by, now)
    if after is not None:
        passed = (queries.c.utility == after.utility) & (queries.c.id <= after.id)
        chosen = chosen.where(queries.c.utility <= after.utility, ~passed)
    return connection.execute(chosen.order_by(queries.c.utility.desc(), queries.c.id).limit(limit)).all()


def oldest(connection: Connection, stream_id: int, by: str, now: int, limit: int) -> Sequence[AnyRow]:
    """Return the oldest open queries, each with whether `by` may have it (`offered`)."""
    chosen = _offers(stream_id, by, now).order_by(queries.c.opened_at).limit(limit)
    return connection.execute(chosen).all()


def oldest_explored(
    connection: Connection, stream_id: int, by: str, now: int, before: int, limit: int
) -> AnyRow | None:
    """Return the oldest query asked at random before that moment that `by` may have, among the oldest `limit`."""
    chosen = (
        _offers(stream_id, by, now)
        .where(_EXPLORED, queries.c.opened_at < before)
        .order_by(queries.c.opened_at)
        .limit(limit)
    )
    return next((row for row in connection.execute(chosen) if row.offered), None)


def highest(connection: Connection, stream_id: int, version: int, limit: int) -> Sequence[AnyRow]:
    """Return those of the `limit` best that were not ranked at this version yet, with their features."""
    chosen = _to_rank(stream_id).order_by(queries.c.utility.desc(), queries.c.id).limit(limit)
    return [row for row in connection.execute(chosen) if row.ranked_at < version]


def stalest(connection: Connection, stream_id: int, version: int, limit: int) -> Sequence[AnyRow]:
    """Return the queries whose utility is of the oldest versions before this one, with their features."""
    chosen = _to_rank(stream_id).where(queries.c.ranked_at < version).order_by(queries.c.ranked_at).limit(limit)
    return connection.execute(chosen).all()


def features(connection: Connection, sample_numbers: Sequence[int]) -> dict[int, bytes]:
    """Return the features of samples by their number."""
    chosen = sa.select(samples.c.n, samples.c.features).where(samples.c.n.in_(sample_numbers))
    return {row.n: row.features for row in connection.execute(chosen)}


def rank(connection: Connection, ranked: Sequence[Mapping[str, Any]]) -> None:
    """Store utilities found by a newer model: `query_id`, `new_utility`, `version` each."""
    if ranked:
        connection.execute(
            queries.update()
            .where(queries.c.id == sa.bindparam("query_id"), queries.c.ranked_at < sa.bindparam("version"))
            .values(utility=sa.bindparam("new_utility"), ranked_at=sa.bindparam("version")),
            list(ranked),
        )


def free_of(connection: Connection, query_ids: Sequence[str], now: int) -> Sequence[AnyRow]:
    """Return those of the queries that are open and that nobody holds."""
    chosen = sa.select(*_COLUMNS).where(queries.c.id.in_(query_ids), _OPEN, queries.c.lease_until <= now)
    return connection.execute(chosen).all()


def any_free(connection: Connection, stream_id: int, now: int) -> bool:
    """Return whether a query is open that nobody holds."""
    free = (queries.c.stream_id == stream_id, _OPEN, queries.c.lease_until <= now)
    return connection.execute(sa.select(queries.c.id).where(*free).limit(1)).first() is not None


def opened_before(connection: Connection, stream_id: int, moment: int, now: int, limit: int) -> Sequence[AnyRow]:
    """Return the oldest queries that were opened before a moment and that nobody holds."""
    chosen = (
        sa.select(*_COLUMNS)
        .where(queries.c.stream_id == stream_id, _OPEN, queries.c.opened_at < moment, queries.c.lease_until <= now)
        .order_by(queries.c.opened_at)
        .limit(limit)
    )
    return connection.execute(chosen).all()


def newest_codes(connection: Connection, stream_id: int, limit: int) -> Sequence[bytes]:
    """Return the codes of the newest questions that are open or were answered, oldest first."""
    chosen = sa.select(queries.c.code).where(queries.c.stream_id == stream_id, queries.c.code.is_not(None))
    return connection.execute(chosen.order_by(queries.c.opened_at.desc()).limit(limit)).scalars().all()[::-1]


def of_samples(connection: Connection, sample_numbers: Sequence[int]) -> Sequence[AnyRow]:
    """Return the open queries of these samples."""
    chosen = sa.select(*_COLUMNS).where(queries.c.sample_n.in_(sample_numbers), queries.c.state == "open")
    return connection.execute(chosen).all()


def decided_by_threshold(connection: Connection, query_ids: Sequence[str]) -> int:
    """Return how many of the queries were asked within the budget; the others were asked freely."""
    chosen = sa.select(sa.func.count()).select_from(queries.join(samples, samples.c.n == queries.c.sample_n))
    return int(connection.scalar(chosen.where(queries.c.id.in_(query_ids), samples.c.threshold.is_not(None))) or 0)


def end(connection: Connection, query_ids: Sequence[str], state: str, now: int) -> None:
    """End queries that nobody answered; nothing is near them any more."""
    gone = {"state": state, "closed_at": now, "lease_until": 0, "code": None}
    connection.execute(queries.update().where(queries.c.id.in_(query_ids)).values(**gone))


def leased(connection: Connection, stream_id: int, now: int) -> int:
    """Return how many open queries are leased."""
    chosen = sa.select(sa.func.count()).where(
        queries.c.stream_id == stream_id, _OPEN, _LEASED, queries.c.lease_until > now
    )
    return int(connection.execute(chosen).scalar_one())


def oldest_open(connection: Connection, stream_id: int) -> int | None:
    """Return when the oldest open query was opened."""
    chosen = sa.select(sa.func.min(queries.c.opened_at)).where(queries.c.stream_id == stream_id, _OPEN)
    return connection.execute(chosen).scalar_one_or_none()


def _offers(stream_id: int, by: str, now: int) -> sa.Select[Any]:
    """Return the open queries, each with whether it may go to `by`: `offered_to` says."""
    offered = (queries.c.lease_until <= now) & offered_to(by, now)
    return sa.select(*_COLUMNS, offered.label("offered")).where(queries.c.stream_id == stream_id, _OPEN)


def _to_rank(stream_id: int) -> sa.Select[Any]:
    columns = (queries.c.id, queries.c.reason, queries.c.utility, queries.c.ranked_at, samples.c.features)
    joined = sa.select(*columns).join(samples, samples.c.n == queries.c.sample_n)
    return joined.where(queries.c.stream_id == stream_id, _OPEN)
