"""Who works on which query: the most valuable one by the current model, held for a short time by one person."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import anyio.to_thread
from sqlalchemy import Connection

from service.clock import SECOND, iso
from service.core import streams
from service.core.access import Principal
from service.core.errors import LeaseLostError, NotFoundError
from service.core.idempotency import NOTHING_DONE, Answer, RequestKey, once
from service.core.labels import choosing
from service.core.line import Turn
from service.core.parts import Parts
from service.events import Topic, Wakeup
from service.storage import events, queries
from service.storage import streams as stream_rows
from service.storage.streams import Stream


class _Tried(NamedTuple):
    """What was leased, and whether there may be more, for this one or for another."""

    found: list[dict[str, Any]]
    more: bool


_NOTHING = _Tried([], more=False)


def new_lease(parts: Parts) -> tuple[str, int]:
    """Return a fresh lease token and when it ends."""
    return secrets.token_urlsafe(16), parts.clock.now() + parts.settings.lease_seconds * SECOND


def lease_body(token: str, until: int) -> dict[str, str]:
    """Return a lease as the contract has it."""
    return {"token": token, "expires_at": iso(until)}


def holds(query: Any, token: str, now: int) -> bool:
    """Return whether `token` holds the query at this moment."""
    return bool(query.state == queries.OPEN and query.lease_token == token and query.lease_until > now)


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
    stream = await parts.db.read(lambda c: streams.find(c, name))
    line = parts.lines[stream.id]
    if not line.turns:
        tried = await _try(parts, who, stream, limit, key)
        if tried.found or wait_seconds <= 0:
            return tried.found
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds

    def wake(wakeup: Wakeup) -> None:
        if wakeup.topic is Topic.QUEUE_GREW and wakeup.stream_id == stream.id:
            loop.call_soon_threadsafe(line.news)

    unsubscribe = parts.bus.subscribe(wake)
    try:
        with line.join() as turn:
            worth_it = await turn.comes(None)
            while not await gone():
                tried = _NOTHING
                if worth_it:
                    tried = await _try(parts, who, stream, limit if turn.last else 1, key)
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


async def _try(parts: Parts, who: Principal, stream: Stream, limit: int, key: RequestKey | None) -> _Tried:
    known = await anyio.to_thread.run_sync(choosing.ranked, parts, who, stream)
    if known.utilities is None and key is None:
        return _Tried([], known.free)

    def work(connection: Connection) -> Answer:
        """Lease; what is remembered of it under a key are the leases, not the samples."""
        now, held = parts.clock.now(), []
        locked = streams.find_locked(connection, stream.name)
        for row in choosing.chosen(connection, parts, who, locked, limit, known):
            token, until = new_lease(parts)
            if queries.claim(connection, row.id, token=token, by=who.id, until=until, now=now):
                held.append((row.id, token, until))
        return Answer(200 if held else NOTHING_DONE, held)

    def shown(connection: Connection) -> list[dict[str, Any]]:
        answer = once(connection, parts.clock, key, lambda: work(connection))
        found = [(queries.shown(connection, query_id), token, until) for query_id, token, until in answer.body]
        return [_body(row, token, until) for row, token, until in found if row is not None]

    return _Tried(await parts.db.write(shown), known.free)


async def heartbeat(parts: Parts, query_id: str, token: str) -> dict[str, str]:
    """Hold a lease for another while."""
    until = parts.clock.now() + parts.settings.lease_seconds * SECOND

    def work(connection: Connection) -> None:
        _must_hold(_locked(connection, query_id), parts, token)
        queries.extend(connection, query_id, until)

    await parts.db.write(work)
    return {"expires_at": iso(until)}


async def release(parts: Parts, query_id: str, token: str) -> None:
    """Give a query back unanswered; again, with the token that did, changes nothing."""

    def work(connection: Connection) -> int:
        query = _locked(connection, query_id)
        if not _given_back(query, token):
            _must_hold(query, parts, token)
            queries.extend(connection, query_id, 0)
        return int(query.stream_id)

    parts.tell(await parts.db.write(work), Topic.QUEUE_GREW)


async def skip(parts: Parts, who: Principal, query_id: str, token: str, reason: str, key: RequestKey | None) -> None:
    """Give a query back for good: 'not_for_me' leaves it to others, any other reason ends it.

    Again, by the same person and for the same reason, changes nothing.
    """
    touched: list[int] = []

    def work(connection: Connection) -> Answer:
        query = _locked(connection, query_id)
        if queries.was_skipped(connection, query_id, who.id, reason) and not holds(query, token, parts.clock.now()):
            return Answer(204, None)
        _must_hold(query, parts, token)
        now = parts.clock.now()
        queries.skip(connection, query_id, who.id, reason, now)
        if reason == "not_for_me":
            queries.extend(connection, query_id, 0)
        else:
            queries.close(connection, query_id, queries.SKIPPED, now)
            stream_rows.book(connection, query.stream_id, open=-1, skipped=1)
        data = {"query_id": query_id, "skipped": reason}
        events.add(connection, [{"stream_id": query.stream_id, "type": "query", "data": data, "at": now}])
        touched.append(query.stream_id)
        return Answer(204, None)

    await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))
    for stream_id in touched:
        parts.tell(stream_id, Topic.QUEUE_GREW, Topic.EVENTS_ADDED)


def _locked(connection: Connection, query_id: str) -> Any:
    """Return a query, its stream locked until the transaction ends."""
    found = queries.one(connection, query_id)
    if found is not None:
        stream_rows.lock(connection, found.stream_id)
        found = queries.one(connection, query_id)
    if found is None:
        raise NotFoundError(f"there is no query '{query_id}'")
    return found


def _must_hold(query: Any, parts: Parts, token: str) -> None:
    if not holds(query, token, parts.clock.now()):
        raise LeaseLostError


def _given_back(query: Any, token: str) -> bool:
    """Return whether `token` was the last to hold the query, and freed it."""
    return bool(query.state == queries.OPEN and query.lease_token == token and query.lease_until == 0)


def _body(row: Any, token: str, until: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "sample_id": row.sample_id,
        "data": row.data,
        "display": row.display,
        "prediction": row.prediction,
        "uncertainty": row.uncertainty,
        "reason": row.reason,
        "lease": lease_body(token, until),
    }
