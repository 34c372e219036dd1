"""The learner's state at a moment of the log.

A snapshot is the state after entry `seq`, knowing the revisions up to entry `as_of`; one that was made on the way of a
rebuild has `as_of` above `seq`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import AnyRow, snapshots


def add(
    connection: Connection,
    stream_id: int,
    *,
    seq: int,
    as_of: int,
    content: bytes,
    state_hash: str,
    header: dict[str, Any],
    now: int,
) -> None:
    """Store a snapshot under the stream's next number; one that is there already is replaced by the same state."""
    last = sa.select(sa.func.max(snapshots.c.number)).where(snapshots.c.stream_id == stream_id)
    number = (connection.execute(last).scalar_one() or 0) + 1
    there = _one(stream_id, seq, as_of)
    pinned = connection.execute(sa.select(snapshots.c.pinned).where(there)).scalar_one_or_none() or False
    connection.execute(snapshots.delete().where(there))
    connection.execute(
        snapshots.insert().values(
            stream_id=stream_id,
            seq=seq,
            as_of=as_of,
            number=number,
            hash=state_hash,
            content=content,
            content_hash=digest(content),
            header=header,
            pinned=pinned,
            at=now,
        )
    )


def digest(content: bytes) -> str:
    """Return the SHA-256 of a snapshot's bytes."""
    return hashlib.sha256(content).hexdigest()


def newest_first(connection: Connection, stream_id: int, *, sound: bool = False) -> Sequence[AnyRow]:
    """Return all but the content of the snapshots, newest first; with `sound`, without those found damaged."""
    columns = [column for column in snapshots.c if column.name != "content"]
    chosen = sa.select(*columns).where(snapshots.c.stream_id == stream_id)
    if sound:
        chosen = chosen.where(snapshots.c.damaged_at.is_(None))
    return connection.execute(chosen.order_by(snapshots.c.seq.desc(), snapshots.c.as_of.desc())).all()


def page(connection: Connection, stream_id: int, before: tuple[int, ...] | None, limit: int) -> Sequence[AnyRow]:
    """Return what `newest_first` does, so many from behind the one of that `seq` and `as_of` on."""
    found = newest_first(connection, stream_id)
    return [row for row in found if before is None or (row.seq, row.as_of) < before][:limit]


def content(connection: Connection, stream_id: int, seq: int, as_of: int) -> bytes | None:
    """Return a snapshot's bytes, None where it was thinned out meanwhile."""
    found = connection.execute(sa.select(snapshots.c.content).where(_one(stream_id, seq, as_of))).scalar_one_or_none()
    return None if found is None else bytes(found)


def remove(connection: Connection, stream_id: int, numbers: Collection[int]) -> None:
    """Remove snapshots by their numbers."""
    if numbers:
        chosen = snapshots.delete().where(snapshots.c.stream_id == stream_id, snapshots.c.number.in_(numbers))
        connection.execute(chosen)


def pin(connection: Connection, stream_id: int, number: int) -> None:
    """Make one snapshot the beginning of what is kept, in place of any other."""
    of_stream = snapshots.c.stream_id == stream_id
    connection.execute(snapshots.update().where(of_stream, snapshots.c.pinned).values(pinned=False))
    connection.execute(snapshots.update().where(of_stream, snapshots.c.number == number).values(pinned=True))


def mark_damaged(connection: Connection, stream_id: int, number: int, now: int) -> bool:
    """Note that a snapshot is damaged; return whether that is news."""
    chosen = snapshots.update().where(
        snapshots.c.stream_id == stream_id, snapshots.c.number == number, snapshots.c.damaged_at.is_(None)
    )
    return bool(connection.execute(chosen.values(damaged_at=now)).rowcount)


def _one(stream_id: int, seq: int, as_of: int) -> sa.ColumnElement[bool]:
    return sa.and_(snapshots.c.stream_id == stream_id, snapshots.c.seq == seq, snapshots.c.as_of == as_of)
