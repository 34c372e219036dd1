"""The open queries of a stream, by each order in which somebody looks for them; every look walks an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.queries import ANSWERED, OPEN, SKIPPED, offered_to
from service.storage.tables import AnyRow, queries, samples

# Written out, not bound: a database sees that the index of just these rows will do.
_OPEN = queries.c.state == sa.literal_column("'open'")
_EXPLORED = queries.c.reason == sa.literal_column("'exploration'")
_LEASED = queries.c.lease_until > sa.literal_column("0")

_WRITTEN = 32
"""Utilities stored at once: whoever waits for the database waits for no more of them."""

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


class Offered(NamedTuple):
    """An open query that somebody may have.

    Attributes:
        id, sample_n, reason: the query's.
        utility: the stored one, to 15 digits.
        features: of its sample, where the utility is older than the version asked for and they are not purged.
    """

    id: str
    sample_n: int
    reason: str
    utility: float
    features: bytes | None


class Best(NamedTuple):
    """What is offered of the best open queries, and whether it may be more if more of them were looked at."""

    offered: list[Offered]
    more: bool


class Place(NamedTuple):
    """A place in the order of utility: that of a query."""

    utility: float
    id: str


class Further(NamedTuple):
    """What is offered further down, and where the look at it ended; `after` None: at the end of the queue."""

    offered: list[Offered]
    after: Place | None


# Statements that every lease runs are made once: making one takes longer than running it.
_NOW: sa.BindParameter[int] = sa.bindparam("now")
_OFFERED = (queries.c.lease_until <= _NOW) & offered_to(sa.bindparam("who"), _NOW)
_OFFERS = (
    sa.select(*_COLUMNS, _OFFERED.label("offered"))
    .where(queries.c.stream_id == sa.bindparam("stream_id"), _OPEN)
    .limit(sa.bindparam("most"))
)
_BY_UTILITY = (queries.c.utility.desc(), queries.c.id)
_AFTER = (
    queries.c.utility <= sa.bindparam("utility"),
    ~((queries.c.utility == sa.bindparam("utility")) & (queries.c.id <= sa.bindparam("id"))),
)
_BEST = _OFFERS.order_by(*_BY_UTILITY)
_BEST_AFTER = _BEST.where(*_AFTER)


class _Functions(NamedTuple):
    """What a database calls the functions that make one text of many rows."""

    together: Callable[[Any], Any]
    one: Callable[..., Any]
    hexadecimal: Callable[[Any], Any]


_FUNCTIONS = {
    "sqlite": _Functions(sa.func.json_group_array, sa.func.json_array, sa.func.hex),
    "postgresql": _Functions(
        sa.func.json_agg, sa.func.json_build_array, lambda features: sa.func.encode(features, "hex")
    ),
}


# One row: for every row that is read the driver lets other threads go first, and takes its turn behind them. The page
# is used once, so that it is walked only until enough are found.
def _offers_of(page: sa.Subquery, by: _Functions, *, older_only: bool) -> sa.Select[Any]:
    """Return the statement that lists what is offered of a page of the queue."""
    older = page.c.ranked_at < sa.bindparam("version")
    features = sa.select(samples.c.features).where(samples.c.n == page.c.sample_n).scalar_subquery()
    columns = (page.c.id, page.c.sample_n, page.c.reason, page.c.utility)
    chosen = sa.select(*columns, sa.case((older, by.hexadecimal(features))).label("features")).where(page.c.offered)
    found = (chosen.where(older) if older_only else chosen).limit(sa.bindparam("wanted")).subquery("found")
    return sa.select(sa.cast(by.together(by.one(*found.c)), sa.Text))


_OFFERED_OF_BEST = {name: _offers_of(_BEST.subquery("page"), by, older_only=False) for name, by in _FUNCTIONS.items()}
_OLDER_FURTHER_DOWN = {
    name: _offers_of(_BEST_AFTER.subquery("page"), by, older_only=True) for name, by in _FUNCTIONS.items()
}

_ANOTHER = (
    sa.select(queries.c.id)
    .where(queries.c.stream_id == sa.bindparam("stream_id"), _OPEN)
    .order_by(*_BY_UTILITY)
    .limit(1)
    .offset(sa.bindparam("most"))
)
_LAST_OF_PAGE = (
    sa.select(queries.c.utility, queries.c.id)
    .where(queries.c.stream_id == sa.bindparam("stream_id"), _OPEN, *_AFTER)
    .order_by(*_BY_UTILITY)
    .limit(1)
    .offset(sa.bindparam("most") - 1)
)
_OLDEST = _OFFERS.order_by(queries.c.opened_at)
_OLDEST_EXPLORED = _OLDEST.where(_EXPLORED, queries.c.opened_at < sa.bindparam("before"))
_ANY_FREE = (
    sa.select(queries.c.id)
    .where(queries.c.stream_id == sa.bindparam("stream_id"), _OPEN, queries.c.lease_until <= _NOW)
    .limit(1)
)
_FREE_OF = sa.select(*_COLUMNS).where(
    queries.c.id.in_(sa.bindparam("query_ids", expanding=True)), _OPEN, queries.c.lease_until <= _NOW
)
_TO_RANK = (
    sa.select(queries.c.id, queries.c.reason, queries.c.utility, samples.c.features)
    .join(samples, samples.c.n == queries.c.sample_n)
    .where(queries.c.stream_id == sa.bindparam("stream_id"), _OPEN, queries.c.ranked_at < sa.bindparam("version"))
    .limit(sa.bindparam("most"))
)
_DOWNWARDS = _TO_RANK.order_by(*_BY_UTILITY)
_FURTHER_DOWN = _DOWNWARDS.where(*_AFTER)


def _rank(pairs: sa.TableValuedAlias, utility: sa.ColumnElement[Any]) -> sa.Update:
    """One statement for many queries: their ids and utilities come as one JSON object."""
    chosen = (queries.c.id == pairs.c.key, queries.c.ranked_at < sa.bindparam("version"))
    return queries.update().where(*chosen).values(utility=utility, ranked_at=sa.bindparam("version"))


_PAIRS = sa.func.json_each(sa.bindparam("ranked", type_=sa.String)).table_valued("key", "value", name="ranked")
_PAIRS_AS_TEXT = sa.func.json_each_text(sa.cast(sa.bindparam("ranked", type_=sa.String), sa.JSON)).table_valued(
    "key", "value", name="ranked"
)
_RANK = {
    "sqlite": _rank(_PAIRS, _PAIRS.c.value),
    "postgresql": _rank(_PAIRS_AS_TEXT, sa.cast(_PAIRS_AS_TEXT.c.value, sa.Double)),
}


def best(
    connection: Connection, stream_id: int, by: str, now: int, limit: int, after: Place | None = None
) -> Sequence[AnyRow]:
    """Return the next open queries by their last known utility, each with whether `by` may have it (`offered`)."""
    told = {"stream_id": stream_id, "who": by, "now": now, "most": limit}
    if after is None:
        return connection.execute(_BEST, told).all()
    return connection.execute(_BEST_AFTER, told | after._asdict()).all()


def offered(connection: Connection, stream_id: int, by: str, now: int, *, version: int, wanted: int, most: int) -> Best:
    """Return up to `wanted` queries that `by` may have among the `most` best by their last known utility, best first.

    Those that were ranked before `version` come with the features of their samples.
    """
    told = {"stream_id": stream_id, "who": by, "now": now, "version": version, "wanted": wanted, "most": most}
    found = _listed(connection, _OFFERED_OF_BEST, told)
    more = len(found) == wanted or connection.execute(_ANOTHER, {"stream_id": stream_id, "most": most}).first()
    return Best(found, bool(more))


def further(
    connection: Connection, stream_id: int, by: str, now: int, *, version: int, wanted: int, most: int, after: Place
) -> Further:
    """Return up to `wanted` queries that `by` may have and that were ranked before `version`, with features.

    Of the `most` best behind a place, best first.
    """
    told = {"stream_id": stream_id, "who": by, "now": now, "version": version, "wanted": wanted, "most": most}
    found = _listed(connection, _OLDER_FURTHER_DOWN, told | after._asdict())
    if len(found) == wanted:
        return Further(found, Place(found[-1].utility, found[-1].id))
    last = connection.execute(_LAST_OF_PAGE, {"stream_id": stream_id, "most": most} | after._asdict()).first()
    return Further(found, None if last is None else Place(last.utility, last.id))


def _listed(connection: Connection, statements: Mapping[str, sa.Select[Any]], told: Mapping[str, Any]) -> list[Offered]:
    listed = connection.execute(statements[connection.dialect.name], told).scalar_one()
    found = [
        Offered(query_id, sample_n, reason, utility, bytes.fromhex(features) if features else None)
        for query_id, sample_n, reason, utility, features in orjson.loads(listed or "[]")
    ]
    return sorted(found, key=lambda one: (-one.utility, one.id))


def oldest(connection: Connection, stream_id: int, by: str, now: int, limit: int) -> Sequence[AnyRow]:
    """Return the oldest open queries, each with whether `by` may have it (`offered`)."""
    told = {"stream_id": stream_id, "who": by, "now": now, "most": limit}
    return connection.execute(_OLDEST, told).all()


def oldest_explored(
    connection: Connection, stream_id: int, by: str, now: int, before: int, limit: int
) -> AnyRow | None:
    """Return the oldest query asked at random before that moment that `by` may have, among the oldest `limit`."""
    told = {"stream_id": stream_id, "who": by, "now": now, "most": limit, "before": before}
    return next((row for row in connection.execute(_OLDEST_EXPLORED, told) if row.offered), None)


def downwards(
    connection: Connection, stream_id: int, version: int, limit: int, after: Place | None
) -> Sequence[AnyRow]:
    """Return the next open queries that were ranked before `version`, by their last known utility, with features."""
    told: dict[str, Any] = {"stream_id": stream_id, "version": version, "most": limit}
    if after is None:
        return connection.execute(_DOWNWARDS, told).all()
    return connection.execute(_FURTHER_DOWN, told | after._asdict()).all()


def rank(connection: Connection, utilities: Mapping[str, float], version: int) -> None:
    """Store what a model of that version found of queries by their ids, where nothing newer is known."""
    if utilities:
        connection.execute(
            _RANK[connection.dialect.name], {"ranked": orjson.dumps(utilities).decode(), "version": version}
        )


def in_parts(utilities: Mapping[str, float]) -> Iterator[dict[str, float]]:
    """Yield utilities by query in parts that are stored one by one."""
    ranked = iter(utilities.items())
    while part := dict(islice(ranked, _WRITTEN)):
        yield part


def free_of(connection: Connection, query_ids: Sequence[str], now: int) -> Sequence[AnyRow]:
    """Return those of the queries that are open and that nobody holds."""
    return connection.execute(_FREE_OF, {"query_ids": list(query_ids), "now": now}).all()


def any_free(connection: Connection, stream_id: int, now: int) -> bool:
    """Return whether a query is open that nobody holds."""
    return connection.execute(_ANY_FREE, {"stream_id": stream_id, "now": now}).first() is not None


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


def nobody_answered(connection: Connection, sample_numbers: Sequence[int]) -> tuple[int, int]:
    """Return of how many of the samples every query has ended unanswered: asked within the budget, and freely."""
    needed = queries.c.state.in_((OPEN, ANSWERED, SKIPPED))
    chosen = (
        sa.select(sa.func.count(samples.c.threshold), sa.func.count())
        .where(samples.c.n.in_(sample_numbers))
        .where(~sa.exists().where(queries.c.sample_n == samples.c.n, needed))
    )
    paid, ended = connection.execute(chosen).one()
    return int(paid), int(ended - paid)


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
