"""What happened in a stream, for subscribers; an event is written in the transaction that makes it true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import AnyRow, events

_ADD = events.insert()


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add events: `stream_id`, `type`, `data`, `at` each."""
    if rows:
        connection.execute(_ADD, list(rows))


def after(connection: Connection, stream_id: int, last: int, limit: int) -> Sequence[AnyRow]:
    """Return events after the id `last`, in order."""
    chosen = sa.select(events).where(events.c.stream_id == stream_id, events.c.id > last)
    return connection.execute(chosen.order_by(events.c.id).limit(limit)).all()


def newest(connection: Connection, stream_id: int) -> int:
    """Return the newest event's id, 0 where there is none."""
    found = connection.execute(sa.select(sa.func.max(events.c.id)).where(events.c.stream_id == stream_id))
    return int(found.scalar_one() or 0)


def prune(connection: Connection, stream_id: int, keep: int) -> None:
    """Remove all but the newest events."""
    chosen = sa.select(events.c.id).where(events.c.stream_id == stream_id)
    border = connection.execute(chosen.order_by(events.c.id.desc()).offset(keep).limit(1)).scalar_one_or_none()
    if border is not None:
        connection.execute(events.delete().where(events.c.stream_id == stream_id, events.c.id <= border))
