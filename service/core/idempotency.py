"""The same request twice does its work once: the answer is kept in the transaction that did it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from service.clock import SECOND, Clock
from service.core.errors import ConflictError
from service.storage import tokens

NOTHING_DONE = 0
"""The status of an answer that says only that there was nothing to do: it is not remembered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with; `stream_id` is the stream with which it is forgotten."""

    status: int
    body: Any
    stream_id: int | None = None


@dataclass(frozen=True, slots=True)
class RequestKey:
    """An Idempotency-Key, whose it is, and a hash of what was asked."""

    scope: str
    key: str
    body_hash: str

    @classmethod
    def of(cls, who: str, key: str, method: str, path: str, body: bytes) -> RequestKey:
        """Return the key of one request."""
        digest = hashlib.sha256(f"{method} {path}\n".encode("utf-8", "surrogatepass") + body).hexdigest()
        return cls(who, key, digest)


def once(connection: Connection, clock: Clock, key: RequestKey | None, work: Callable[[], Answer]) -> Answer:
    """Return the answer remembered under `key`, or do the work and remember its answer.

    Raises:
        ConflictError: where the key was used for another request.
    """
    if key is None:
        return work()
    known = tokens.remembered(connection, key.scope, key.key)
    if known is not None:
        if known.body_hash != key.body_hash:
            raise ConflictError("this Idempotency-Key was used for another request; choose a new one")
        return Answer(known.status, known.answer)
    answer = work()
    if answer.status == NOTHING_DONE:
        return answer
    tokens.remember(
        connection,
        scope=key.scope,
        key=key.key,
        body_hash=key.body_hash,
        status=answer.status,
        answer=answer.body,
        stream_id=answer.stream_id,
        at=clock.now(),
    )
    return answer


def forget_old(connection: Connection, clock: Clock, hours: int) -> None:
    """Drop answers whose time is over."""
    tokens.forget_before(connection, clock.now() - hours * 3600 * SECOND)
