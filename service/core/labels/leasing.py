"""Who works on which query: the most valuable one by the current model, held for a short time by one person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection

from service.clock import iso
from service.core import streams
from service.core.access import Principal
from service.core.errors import NotFoundError
from service.core.idempotency import NOTHING_DONE, Answer, RequestKey, once
from service.core.labels import choosing, gold_asking, leases
from service.core.line import Turn
from service.core.parts import Parts
from service.events import Topic, Wakeup
from service.storage import gold, queries, queue


class _Tried(NamedTuple):
    """What was leased, whether there may be more, for this one or for another, and of which stream."""

    found: list[dict[str, Any]]
    more: bool
    stream_id: int


async def lease(
    parts: Parts,
    who: Principal,
    name: str,
    limit: int,
    wait_seconds: float,
    gone: Callable[[], Awaitable[bool]],
    key: RequestKey | None = None,
) -> list[dict[str, Any]]:
    """Lease up to `limit` queries, waiting up to `wait_seconds` for the first, unless whoever asked is `gone`.

    Who waits is served in the order of coming, one query each while others wait behind. The same key again answers the
    same leases; that there was nothing to lease is not remembered.
    """
    waiting = parts.lines.get(name)
    if waiting is None or not waiting.turns:
        with parts.precedence.first():
            tried = await _try(parts, who, name, limit, key)
        if tried.found or wait_seconds <= 0:
            return tried.found
        stream_id = tried.stream_id
    else:
        stream_id = (await parts.db.read(lambda c: streams.find(c, name))).id
    line = parts.lines[name]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds

    def wake(wakeup: Wakeup) -> None:
        if wakeup.topic is Topic.QUEUE_GREW and wakeup.stream_id == stream_id:
            loop.call_soon_threadsafe(line.news)

    unsubscribe = parts.bus.subscribe(wake)
    try:
        with line.join() as turn:
            worth_it = await turn.comes(None)
            while not await gone():
                tried = _Tried([], more=False, stream_id=stream_id)
                if worth_it:
                    with parts.precedence.first():
                        tried = await _try(parts, who, name, limit if turn.last else 1, key)
                turn.pass_on(worth_it=tried.more)
                if tried.found or parts.stopping.is_set():
                    return tried.found
                worth_it = await _next_turn(parts, turn, deadline)
                if worth_it is None:
                    break
    finally:
        unsubscribe()
    return []


async def _next_turn(parts: Parts, turn: Turn, deadline: float) -> bool | None:
    """Wait for the next turn; return as `Turn.comes`. The first in line also looks now and then by itself."""
    while True:
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            return None
        called = await turn.comes(min(left, parts.settings.poll_seconds))
        if called is not None or turn.first:
            return called is not False


async def _try(parts: Parts, who: Principal, name: str, limit: int, key: RequestKey | None) -> _Tried:
    """Lease what is at hand; where that is nothing, look for the best first."""
    known = choosing.at_hand(parts, who, name) if limit == 1 else None
    if known is not None:
        with suppress(NotFoundError):  # the stream that it was of may be gone, and another have its name
            tried = await _take(parts, who, name, limit, key, known)
            if tried.found:
                return tried
    look = partial(choosing.ranked, parts, who, name, limit)
    known = await parts.looks.run((name, limit), look, embedded=parts.db.embedded)
    if not known.best and key is None:
        return _Tried([], known.free, known.stream_id)
    return await _take(parts, who, name, limit, key, known)


async def _take(
    parts: Parts, who: Principal, name: str, limit: int, key: RequestKey | None, known: choosing.Ranked
) -> _Tried:
    """Lease the best of what is known that others have not taken meanwhile."""

    def work(connection: Connection) -> Answer:
        """Lease; what is remembered of it under a key are the leases, not the samples."""
        held: list[tuple[str, str, int]] = []
        now = parts.clock.now()
        locked = streams.locked(connection, known.stream_id, name)
        waiting = choosing.chosen(connection, parts, who, locked, known)
        row = next(waiting, None)
        while row is not None and len(held) < limit:
            token, until = leases.new_lease(parts)
            golden = gold_asking.lease(connection, parts, who, locked, row.reason, (token, until))
            if golden is not None:
                held.append((golden, token, until))
                continue
            if queries.claim(connection, row.id, token=token, by=who.id, until=until, now=now):
                held.append((row.id, token, until))
            row = next(waiting, None)
        return Answer(200 if held else NOTHING_DONE, held, locked.id)

    def shown(connection: Connection) -> list[dict[str, Any]]:
        answer = once(connection, parts.clock, key, lambda: work(connection))
        found = [(_shown(connection, query_id), token, until) for query_id, token, until in answer.body]
        return [_body(row, token, until) for row, token, until in found if row is not None]

    found = await parts.db.write(shown, synced=False)
    parts.heads.taken(known.stream_id, {leased["id"] for leased in found})
    # Whoever comes next begins with what is known now; whoever asked need not wait until that is written.
    for part in queue.in_parts(known.news):
        parts.db.write_later(partial(queue.rank, utilities=part, version=known.version))
    return _Tried(found, known.free, known.stream_id)


async def heartbeat(parts: Parts, query_id: str, token: str) -> dict[str, str]:
    """Hold a lease for another while, unless it has lasted as long as a lease may."""

    def work(connection: Connection) -> int:
        query = leases.locked(connection, query_id).query
        until = leases.prolonged(query, parts, token)
        _extend(connection, query, until)
        return until

    return {"expires_at": iso(await parts.db.write(work, synced=False))}


async def release(parts: Parts, query_id: str, token: str) -> None:
    """Give a query back unanswered; again, with the token that did, changes nothing."""

    def work(connection: Connection) -> int:
        query = leases.locked(connection, query_id).query
        if not leases.given_back(query, token):
            leases.must_hold(query, parts, token)
            _extend(connection, query, 0)
        return int(query.stream_id)

    parts.tell(await parts.db.write(work), Topic.QUEUE_GREW)


def _extend(connection: Connection, query: Any, until: int) -> None:
    extend = gold.extend if gold.is_gold(query) else queries.extend
    extend(connection, query.id, until)


def _shown(connection: Connection, query_id: str) -> Any:
    return queries.shown(connection, query_id) or gold.shown(connection, query_id)


def _body(row: Any, token: str, until: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "sample_id": row.sample_id,
        "data": row.data,
        "display": row.display,
        "prediction": row.prediction,
        "uncertainty": row.uncertainty,
        "reason": row.reason,
        "lease": leases.lease_body(token, until),
    }
