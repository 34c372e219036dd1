"""Which queries are offered to whom: the most valuable by the current model, and now and then the longest forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection

from learner.asking.strategies import Unsure
from service.clock import SECOND
from service.core.access import Principal
from service.core.depths import Depth
from service.core.heads import Head
from service.core.inputs import many_from_bytes
from service.core.parts import Parts
from service.core.specs import as_input
from service.core.spending import least_wanted, utility_now
from service.core.streams import find
from service.storage import queue, streams
from service.storage.queue import Offered, Place
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_LOOKED_AT, _MORE_EACH = 32, 48
"""The best by the stored utilities, which whoever leases one has scored by the model of the moment, and how many more
for each further one.

Two answers may turn their order upside down: the best of many is the only sure way to a good one. More of them would
make every lease slower; to lease several at once still costs less for each than one by one."""

_HEAD = 32
"""The best by the stored utilities that are ranked for whoever comes next, by the worker, while nobody waits for it."""

_FROM_THE_TOP_ONE_IN = 4
"""Where one's leases of the same version have looked before, one in so many comes from the top, where what they found
stands; the others come from behind what they have looked at."""

_PASSED_BY = 4
"""For each that is looked at further down, so many are passed by at most to find it."""

_FIRST_PAGE, _LAST_PAGE, _PAGE_GROWS = 64, 4096, 8
"""Queries read at a time, more each time, where those before were leased to others or skipped."""

_ANYBODY = ""
"""Nobody's id: has skipped nothing and holds nothing."""

_FORGOTTEN_ONE_IN = 20
_FORGOTTEN_SECONDS = 600
"""One lease in so many goes to the oldest query that was asked at random, once it has waited so long."""


class Ranked(NamedTuple):
    """What is known of the queue before one is chosen.

    Attributes:
        best: queries that who asks may have, the most valuable by the model of the moment first; not all there are.
        free: whether there is a query for anybody.
        news: the utilities that this found, by query, but for those of the queries that the worker is to withdraw: it
            looks at what has no utility of the newest version yet.
        version: of the model that found them.
        stream_id: whose queue it is.
        at_hand: whether they were ranked before anybody asked: who may have none of them has to be looked for.
    """

    best: Sequence[Offered]
    free: bool
    news: Mapping[str, float]
    version: int
    stream_id: int
    at_hand: bool = False


class _Seen(NamedTuple):
    """What one look at the tables gives: all of one moment."""

    stream: Stream
    found: list[Offered]
    free: bool
    least: float
    utility: Callable[[Unsure], float]


def ranked(parts: Parts, who: Principal, name: str, limit: int) -> Ranked:
    """Find the best for `who`, who wants up to `limit`: those that are best as stored, ranked by the current model.

    Raises:
        NotFoundError: where there is no such stream.
    """

    def look(connection: Connection) -> _Seen:
        stream = find(connection, name)
        found = _looked_at(connection, parts, who, stream, _LOOKED_AT + _MORE_EACH * (limit - 1))
        return _seen(connection, parts, stream, found)

    known = _by_model(parts, parts.db.read_now(look))
    if limit == 1:
        parts.heads.asked(known.stream_id, name)
    return known


def at_hand(parts: Parts, who: Principal, name: str) -> Ranked | None:
    """Return the best as they were ranked for whoever comes next, where `who` has not had a look at that version yet.

    None where nothing is at hand, and `ranked` has to look.
    """
    stream_id = parts.heads.stream(name)
    head = None if stream_id is None else parts.heads.of(stream_id, parts.models.version(stream_id))
    if stream_id is None or head is None or parts.depths.reached(stream_id, who.id, head.version) is not None:
        return None
    parts.heads.asked(stream_id, name)
    parts.depths.note(stream_id, who.id, Depth(head.version, head.after))
    return Ranked(head.best, free=True, news={}, version=head.version, stream_id=stream_id, at_hand=True)


def prepare(parts: Parts, stream: Stream) -> None:
    """Rank the best of a queue by the newest model for whoever comes next, where people work on it."""
    grown = parts.heads.wanted(stream.id)
    if grown is None:
        return

    def look(connection: Connection) -> _Seen:
        version, now = parts.models.state(stream).seq, parts.clock.now()
        best = queue.offered(connection, stream.id, _ANYBODY, now, version=version, wanted=_HEAD, most=2 * _HEAD)
        return _seen(connection, parts, stream, best.offered)

    seen = parts.db.read_now(look)
    known = _by_model(parts, seen)
    after = Place(seen.found[-1].utility, seen.found[-1].id) if len(seen.found) == _HEAD else None
    best = [row._replace(features=None) for row in known.best]
    parts.heads.put(stream.id, Head(known.version, best, after), grown)
    for part in queue.in_parts(known.news):
        parts.db.write_later(partial(queue.rank, utilities=part, version=known.version))


def _seen(connection: Connection, parts: Parts, stream: Stream, found: list[Offered]) -> _Seen:
    free = bool(found) or queue.any_free(connection, stream.id, parts.clock.now())
    ledger = streams.ledger(connection, stream.id)
    return _Seen(stream, found, free, least_wanted(stream, ledger), utility_now(stream, ledger))


def _by_model(parts: Parts, seen: _Seen) -> Ranked:
    """Rank what was seen by the model of the moment."""
    stream, found, free, least, utility = seen
    scorer, spec = parts.models.scorer(stream), as_input(stream.input)
    rows = [(row, row.features) for row in found if row.features]
    said = scorer.predict_many(many_from_bytes([features for _row, features in rows], spec))
    news = {row.id: utility(one) for (row, _features), one in zip(rows, said, strict=True) if one is not None}
    best = sorted(found, key=lambda row: news.get(row.id, row.utility), reverse=True)
    sinking = {row.id for row, _features in rows if row.reason == "uncertain" and news.get(row.id, least) < least}
    kept = {query_id: value for query_id, value in news.items() if query_id not in sinking}
    return Ranked(best, free, kept, scorer.seq, stream.id)


def chosen(
    connection: Connection, parts: Parts, who: Principal, stream: Stream, known: Ranked
) -> Iterator[Offered | AnyRow]:
    """Yield queries for `who`, the most valuable first; now and then one that was long forgotten in between.

    Where others have leased all that was looked at since, those follow that are now the best by the stored utilities;
    not so behind what was at hand.
    """
    now = parts.clock.now()
    before = now - _FORGOTTEN_SECONDS * SECOND
    for row in known.best:
        if secrets.randbelow(_FORGOTTEN_ONE_IN) == 0:
            forgotten = queue.oldest_explored(connection, stream.id, who.id, now, before, _FIRST_PAGE)
            if forgotten is not None:
                yield forgotten
        yield row
    if not known.at_hand:
        yield from _offered(connection, parts, who, stream)


def _looked_at(connection: Connection, parts: Parts, who: Principal, stream: Stream, wanted: int) -> list[Offered]:
    """Return queries to choose from, with what scoring them takes, and note how far the queue is looked at.

    The first lease of a version has the best looked at; the same person's next ones go on where it ended, so that while
    nothing is learned each sees more of the queue than the one before, and none has more to do.
    """
    version, now = parts.models.state(stream).seq, parts.clock.now()
    depth = parts.depths.reached(stream.id, who.id, version)
    if depth is None:
        found = _best(connection, parts, who, stream, version, wanted)
        after = Place(found[-1].utility, found[-1].id) if len(found) == wanted else None
    elif depth.after is None or stream.ranked_seq >= version:
        found, after = _best(connection, parts, who, stream, version, wanted), None
    else:
        top = wanted // _FROM_THE_TOP_ONE_IN
        found, down = _best(connection, parts, who, stream, version, top), wanted - top
        further = queue.further(
            connection,
            stream.id,
            who.id,
            now,
            version=version,
            wanted=down,
            most=_PASSED_BY * down,
            after=depth.after,
        )
        known, after = {row.id for row in found}, further.after
        found += [row for row in further.offered if row.id not in known]
    parts.depths.note(stream.id, who.id, Depth(version, after))
    return found


def _best(
    connection: Connection, parts: Parts, who: Principal, stream: Stream, version: int, wanted: int
) -> list[Offered]:
    """Return the first of those that `_offered` yields, with what scoring them takes.

    Who may have hardly any of the best thousands gets them as they are ranked.
    """
    now, most = parts.clock.now(), max(_FIRST_PAGE, 2 * wanted)
    while most <= _LAST_PAGE:
        best = queue.offered(connection, stream.id, who.id, now, version=version, wanted=wanted, most=most)
        if len(best.offered) == wanted or not best.more:
            return best.offered
        most *= _PAGE_GROWS
    rows = islice(_offered(connection, parts, who, stream), wanted)
    return [Offered(row.id, row.sample_n, row.reason, row.utility, None) for row in rows]


def _offered(connection: Connection, parts: Parts, who: Principal, stream: Stream) -> Iterator[AnyRow]:
    """Yield the queries that `who` may have, the best by their stored utilities first.

    The search is bounded: who has skipped thousands of the best is offered the oldest in their place.
    """
    for page in _pages(connection, parts, who, stream):
        yield from (row for row in page if row.offered)


def _pages(connection: Connection, parts: Parts, who: Principal, stream: Stream) -> Iterator[Sequence[AnyRow]]:
    size, after, now = _FIRST_PAGE, None, parts.clock.now()
    while size <= _LAST_PAGE:
        page = queue.best(connection, stream.id, who.id, now, size, after)
        yield page
        if len(page) < size:
            return
        after, size = Place(page[-1].utility, page[-1].id), size * _PAGE_GROWS
    yield queue.oldest(connection, stream.id, who.id, now, _LAST_PAGE)
