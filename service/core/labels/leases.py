"""What it means to hold a query: a token, for a short time."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from sqlalchemy import Connection

from service.clock import SECOND, iso
from service.core.errors import LeaseLostError, NotFoundError
from service.core.parts import Parts
from service.storage import gold, queries
from service.storage import streams as stream_rows
from service.storage.streams import Stream

HOLDS = 20
"""A lease lasts at most so many times its length, however often it is prolonged: a forgotten page frees its query."""


def new_lease(parts: Parts) -> tuple[str, int]:
    """Return a fresh lease token and when it ends."""
    return secrets.token_urlsafe(16), parts.clock.now() + parts.settings.lease_seconds * SECOND


def lease_body(token: str, until: int) -> dict[str, str]:
    """Return a lease as the contract has it."""
    return {"token": token, "expires_at": iso(until)}


def holds(query: Any, token: str, now: int) -> bool:
    """Return whether `token` holds the query at this moment."""
    return bool(query.state == queries.OPEN and query.lease_token == token and query.lease_until > now)


class Locked(NamedTuple):
    """A query as it is now that nobody else may change it, and its stream."""

    query: Any
    stream: Stream


def locked(connection: Connection, query_id: str) -> Locked:
    """Return a query, its stream locked until the transaction ends.

    Raises:
        NotFoundError: where there is no such query.
    """
    found = queries.one(connection, query_id) or gold.query(connection, query_id)
    stream = None if found is None else stream_rows.lock(connection, found.stream_id)
    if stream is not None and stream_rows.may_have_waited(connection):
        found = queries.one(connection, query_id) or gold.query(connection, query_id)
    if found is None or stream is None:
        raise NotFoundError(f"there is no query '{query_id}'")
    return Locked(found, stream)


def must_hold(query: Any, parts: Parts, token: str) -> None:
    """Raise `LeaseLostError` unless `token` holds the query."""
    if not holds(query, token, parts.clock.now()):
        raise LeaseLostError


def prolonged(query: Any, parts: Parts, token: str) -> int:
    """Return until when a lease lasts that is prolonged now.

    Raises:
        LeaseLostError: where `token` does not hold the query, or has held it as long as anybody may.
    """
    now, seconds = parts.clock.now(), parts.settings.lease_seconds
    last = int(query.leased_at + HOLDS * seconds * SECOND)
    if query.lease_token == token and last <= min(now, query.lease_until):
        raise LeaseLostError(f"a lease lasts at most {HOLDS * seconds} seconds, as this one has; lease the query again")
    must_hold(query, parts, token)
    return min(now + seconds * SECOND, last)


def given_back(query: Any, token: str) -> bool:
    """Return whether `token` was the last to hold the query, and freed it."""
    return bool(query.state == queries.OPEN and query.lease_token == token and query.lease_until == 0)
