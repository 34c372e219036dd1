"""Gold between other queries: leased, answered, skipped and taken back like them, and never learned."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Connection

from service.core.access import Principal, Role
from service.core.errors import ConflictError, ForbiddenError, LeaseLostError
from service.core.idempotency import Answer
from service.core.identity import new_id
from service.core.labels import leases
from service.core.labels.labeling import with_class
from service.core.parts import Parts
from service.core.specs import QuerySpec
from service.storage import answers, gold, queries
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_COIN = 2**32

_Said = tuple[str, int | None]
"""A label, and how long the answer took in milliseconds."""


def lease(
    connection: Connection, parts: Parts, who: Principal, stream: Stream, reason: str, lease: tuple[str, int]
) -> str | None:
    """Lease gold to `who` in the place of another query, now and then; return its id.

    By chance, so that nobody can tell by counting. What a person has seen comes again only once all was seen.
    """
    if secrets.randbelow(_COIN) >= QuerySpec(**stream.query).gold_share * _COIN:
        return None
    token, until = lease
    now = parts.clock.now()
    before = gold.given_back(connection, stream.id, who.id, now)
    if before is not None:
        gold.change(connection, before.id, lease_token=token, lease_until=until, leased_at=now)
        return str(before.id)
    gold_id = gold.least_seen(connection, stream.id, who.id)
    if gold_id is None:
        return None
    asked = {
        "id": new_id("q", parts.clock),
        "stream_id": stream.id,
        "gold_id": gold_id,
        "by": who.name,
        "by_id": who.id,
        "state": queries.OPEN,
        "reason": reason,
        "lease_token": token,
        "lease_until": until,
        "leased_at": now,
        "opened_at": now,
    }
    gold.ask(connection, **asked)
    return str(asked["id"])


def answer(
    connection: Connection, parts: Parts, who: Principal, stream: Stream, query: AnyRow, token: str, said: _Said
) -> Answer:
    """Judge an answer and keep it; it is told what the answer to another query is told."""
    label, duration_ms = said
    if query.state == queries.ANSWERED and query.lease_token == token:
        if query.label == label:
            return Answer(200, _told(stream, query.label_id))
        raise ConflictError(f"this query was answered '{query.label}'; take that back to change it")
    now = parts.clock.now()
    if not leases.holds(query, token, now):
        return Answer(LeaseLostError.status, None)
    with_class(parts, stream, stream.classes, label)
    label_id, ended = new_id("l", parts.clock), {"state": queries.ANSWERED, "closed_at": now, "lease_until": 0}
    gold.change(connection, query.id, label=label, label_id=label_id, duration_ms=duration_ms, **ended)
    _count(connection, stream, query, who.name, label, 1)
    return Answer(200, _told(stream, label_id))


def skip(connection: Connection, parts: Parts, query: AnyRow, token: str) -> Answer:
    """End a query unanswered; it has only one person to go to."""
    if not (query.state == queries.SKIPPED and query.lease_token == token):
        leases.must_hold(query, parts, token)
        gold.change(connection, query.id, state=queries.SKIPPED, closed_at=parts.clock.now(), lease_until=0)
    return Answer(204, None)


def take_back(connection: Connection, parts: Parts, who: Principal, stream: Stream, query: AnyRow) -> dict[str, Any]:
    """Take an answer back, and lease the query to whoever gave it again."""
    if who.role is Role.ANNOTATOR and query.by_id != who.id:
        raise ForbiddenError("an annotator may take back only own labels")
    leased = None
    if query.state == queries.ANSWERED:
        token, until = leases.new_lease(parts)
        open_again = {"state": queries.OPEN, "closed_at": None, "lease_token": token, "leased_at": parts.clock.now()}
        gold.change(connection, query.id, lease_until=until if query.by_id == who.id else 0, **open_again)
        _count(connection, stream, query, query.by, query.label, -1)
        if query.by_id == who.id:
            leased = {"id": query.id, "lease": leases.lease_body(token, until)}
    told = _told(stream, query.label_id)
    return {"label_id": told["label_id"], "seq": told["seq"], "retracted": True, "query": leased, "job": None}


def _count(connection: Connection, stream: Stream, query: AnyRow, by: str, label: str, sign: int) -> None:
    right = int(label == query.right)
    more = {"gold": 1, "gold_right": right, "right": float(right), "wrong": 1.0 - right}
    answers.count(connection, stream.id, query.by_id, by, {name: sign * value for name, value in more.items()})


def _told(stream: Stream, label_id: str) -> dict[str, Any]:
    """Return what other answers are told: with overlap that others are asked too, without it a label and a number."""
    if QuerySpec(**stream.query).overlap > 1:
        return {"label_id": None, "seq": None, "pending": True}
    return {"label_id": label_id, "seq": stream.log_seq}
