"""Who works on which query: the most valuable one by the current model, held for a short time by one person."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
from sqlalchemy import Connection

from service.clock import SECOND, iso
from service.core import streams
from service.core.access import Principal
from service.core.errors import LeaseLostError, NotFoundError
from service.core.idempotency import NOTHING_DONE, Answer, RequestKey, once
from service.core.inputs import from_bytes
from service.core.parts import Parts
from service.core.specs import QuerySpec, as_input
from service.events import Topic, Wakeup
from service.storage import events, queries
from service.storage import streams as stream_rows

_RANKED = 32
"""Queries looked at anew for one lease; the stored utilities order the rest."""


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

    The same key again answers the same leases; that there was nothing to lease is not remembered.
    """
    loop = asyncio.get_running_loop()
    news, deadline = asyncio.Event(), loop.time() + wait_seconds

    def wake(wakeup: Wakeup) -> None:
        if wakeup.topic is Topic.QUEUE_GREW:
            loop.call_soon_threadsafe(news.set)

    unsubscribe = parts.bus.subscribe(wake)
    try:
        while True:
            news.clear()
            if await gone():
                return []
            found = await _lease_now(parts, who, name, limit, key)
            left = deadline - loop.time()
            if found or left <= 0 or parts.stopping.is_set():
                return found
            try:
                await asyncio.wait_for(news.wait(), min(left, parts.settings.poll_seconds))
            except TimeoutError:
                continue
    finally:
        unsubscribe()


async def _lease_now(
    parts: Parts, who: Principal, name: str, limit: int, key: RequestKey | None
) -> list[dict[str, Any]]:
    ranked = await anyio.to_thread.run_sync(_rank, parts, who, name)
    if not ranked and key is None:
        return []

    def work(connection: Connection) -> Answer:
        """Lease; what is remembered of it under a key are the leases, not the samples."""
        streams.find_locked(connection, name)
        queries.rank(connection, [row for row in ranked if row["version"] is not None])
        held: list[tuple[str, str, int]] = []
        now = parts.clock.now()
        for row in ranked:
            if len(held) == limit:
                break
            token, until = new_lease(parts)
            if queries.claim(connection, row["query_id"], token=token, by=who.id, until=until, now=now):
                held.append((row["query_id"], token, until))
        return Answer(200 if held else NOTHING_DONE, held)

    def shown(connection: Connection) -> list[dict[str, Any]]:
        answer = once(connection, parts.clock, key, lambda: work(connection))
        found = [(queries.shown(connection, query_id), token, until) for query_id, token, until in answer.body]
        return [_body(row, token, until) for row, token, until in found if row is not None]

    return await parts.db.write(shown)


def _rank(parts: Parts, who: Principal, name: str) -> list[dict[str, Any]]:
    """Return free queries, most valuable first by the current model."""
    stream = parts.db.read_now(lambda c: streams.find(c, name))
    found = parts.db.read_now(lambda c: queries.candidates(c, stream.id, who.id, parts.clock.now(), _RANKED))
    scorer, spec = parts.models.scorer(stream), as_input(stream.input)
    utility = QuerySpec(**stream.query).policy().utility
    ranked = []
    for row in found:
        value, version = row.utility, None
        if row.ranked_at != scorer.seq:
            said = scorer.predict(from_bytes(row.features, spec))
            if said is not None:
                value, version = utility(said), scorer.seq
        ranked.append({"query_id": row.id, "new_utility": value, "version": version})
    ranked.sort(key=lambda row: -row["new_utility"])
    return ranked


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
