"""Which queries are offered to whom: the most valuable by the current model, and now and then the longest forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from service.clock import SECOND
from service.core.access import Principal
from service.core.inputs import from_bytes
from service.core.parts import Parts
from service.core.specs import QuerySpec, as_input
from service.storage import queue
from service.storage.queue import Place
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_RANKED = 32
"""Queries whose utility is that of the current model when one is chosen; the stored utilities order the rest."""

_FIRST_PAGE, _LAST_PAGE, _PAGE_GROWS = 64, 4096, 8
"""Queries read at a time, more each time, where those before were leased to others or skipped."""

_FORGOTTEN_ONE_IN = 20
_FORGOTTEN_SECONDS = 600
"""One lease in so many goes to the oldest query that was asked at random, once it has waited so long."""


class Ranked(NamedTuple):
    """What is known of the queue before one is chosen.

    Attributes:
        utilities: those of the best queries at the model's version, by id; None where there is none for who asks.
        free: whether there is a query for anybody.
    """

    utilities: Mapping[str, float] | None
    free: bool

    def of(self, row: AnyRow) -> float:
        """Return the newest utility that is known of a query."""
        return (self.utilities or {}).get(row.id, row.utility)


def ranked(parts: Parts, who: Principal, stream: Stream) -> Ranked:
    """Score the best free queries whose stored utility is an older version's; the tables stay as they are."""
    scorer = parts.models.scorer(stream)

    def look(connection: Connection) -> tuple[bool, bool, list[AnyRow], dict[int, bytes]]:
        found = _best(connection, parts, who, stream, _RANKED)
        free = bool(found) or queue.any_free(connection, stream.id, parts.clock.now())
        stale = [row for row in found if row.ranked_at < scorer.seq]
        return bool(found), free, stale, queue.features(connection, [row.sample_n for row in stale])

    some, free, rows, features = parts.db.read_now(look)
    if not some:
        return Ranked(None, free)
    spec, utility = as_input(stream.input), QuerySpec(**stream.query).policy().utility
    said = scorer.predict_many([from_bytes(features[row.sample_n], spec) for row in rows])
    return Ranked({row.id: utility(one) for row, one in zip(rows, said, strict=True) if one is not None}, free)


def chosen(
    connection: Connection, parts: Parts, who: Principal, stream: Stream, limit: int, known: Ranked
) -> list[AnyRow]:
    """Return up to `limit` queries for `who`, most valuable first."""
    found = sorted(_best(connection, parts, who, stream, _RANKED), key=known.of, reverse=True)[:limit]
    now = parts.clock.now()
    before = now - _FORGOTTEN_SECONDS * SECOND
    if any(secrets.randbelow(_FORGOTTEN_ONE_IN) == 0 for _ in found):
        forgotten = queue.oldest_explored(connection, stream.id, who.id, now, before, _FIRST_PAGE)
        if forgotten is not None and all(row.id != forgotten.id for row in found):
            found[-1] = forgotten
    return sorted(found, key=known.of, reverse=True)


def _best(connection: Connection, parts: Parts, who: Principal, stream: Stream, limit: int) -> list[AnyRow]:
    """Return the best queries that `who` may have, by the stored utilities.

    The search is bounded: who has skipped thousands of the best is offered the oldest in their place.
    """
    found: list[AnyRow] = []
    for page in _pages(connection, parts, who, stream):
        found += [row for row in page if row.offered]
        if len(found) >= limit:
            break
    return found[:limit]


def _pages(connection: Connection, parts: Parts, who: Principal, stream: Stream) -> Iterator[list[AnyRow]]:
    size, after, now = _FIRST_PAGE, None, parts.clock.now()
    while size <= _LAST_PAGE:
        page = list(queue.best(connection, stream.id, who.id, now, size, after))
        yield page
        if len(page) < size:
            return
        after, size = Place(page[-1].utility, page[-1].id), size * _PAGE_GROWS
    yield list(queue.oldest(connection, stream.id, who.id, now, _LAST_PAGE))
