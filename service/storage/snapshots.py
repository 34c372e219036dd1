"""The learner's state at a moment of the log."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import AnyRow, snapshots


def add(connection: Connection, stream_id: int, seq: int, content: bytes, state_hash: str, now: int) -> None:
    """Store a snapshot; one that is there already is replaced by the same state."""
    connection.execute(snapshots.delete().where(snapshots.c.stream_id == stream_id, snapshots.c.seq == seq))
    connection.execute(
        snapshots.insert().values(stream_id=stream_id, seq=seq, hash=state_hash, content=content, at=now)
    )


def newest_first(connection: Connection, stream_id: int, before: int | None = None) -> Sequence[AnyRow]:
    """Return number, hash and time of the snapshots, newest first; with `before`, only those below that number."""
    chosen = (
        sa.select(snapshots.c.seq, snapshots.c.hash, snapshots.c.at)
        .where(snapshots.c.stream_id == stream_id)
        .order_by(snapshots.c.seq.desc())
    )
    return connection.execute(chosen if before is None else chosen.where(snapshots.c.seq < before)).all()


def content(connection: Connection, stream_id: int, seq: int) -> bytes:
    """Return a snapshot's bytes."""
    chosen = sa.select(snapshots.c.content).where(snapshots.c.stream_id == stream_id, snapshots.c.seq == seq)
    return bytes(connection.execute(chosen).scalar_one())


def drop_from(connection: Connection, stream_id: int, seq: int) -> None:
    """Remove the snapshots at `seq` and above: what they hold has been taken back."""
    connection.execute(snapshots.delete().where(snapshots.c.stream_id == stream_id, snapshots.c.seq >= seq))


def thin(connection: Connection, stream_id: int, keep: int) -> None:
    """Keep only the newest snapshots."""
    kept = (
        sa.select(snapshots.c.seq)
        .where(snapshots.c.stream_id == stream_id)
        .order_by(snapshots.c.seq.desc())
        .limit(keep)
    )
    oldest = min(connection.execute(kept).scalars(), default=0)
    connection.execute(snapshots.delete().where(snapshots.c.stream_id == stream_id, snapshots.c.seq < oldest))
