"""Which worker writes which stream: held while its worker's heartbeat lives, fenced by a number that only grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from service.storage.tables import streams, workers, writers


@dataclass(frozen=True, slots=True)
class StreamLease:
    """A worker's right to write a stream; whoever takes the stream after it gets a higher fence."""

    stream_id: int
    worker: str
    fence: int


_IS = tuple(writers.c[field.name] == sa.bindparam(f"held_{field.name}") for field in fields(StreamLease))
"""That a row is of the lease that `_told` tells of."""


def beat(connection: Connection, worker: str, *, started_at: int, until: int) -> None:
    """Say that a worker lives `until` then, and is known from now on."""
    changed = connection.execute(workers.update().where(workers.c.id == worker).values(expires_at=until))
    if changed.rowcount == 0:
        connection.execute(workers.insert().values(id=worker, started_at=started_at, expires_at=until))


def leave(connection: Connection, worker: str) -> None:
    """Give back every stream of a worker, and forget it."""
    connection.execute(writers.update().where(writers.c.worker == worker).values(worker=None))
    connection.execute(workers.delete().where(workers.c.id == worker))


def forget_dead(connection: Connection, before: int) -> None:
    """Forget the workers whose time was over `before` then; their streams are free."""
    connection.execute(workers.delete().where(workers.c.expires_at < before))


def alive(connection: Connection, now: int) -> Sequence[str]:
    """Return the workers that live, those with most streams at the front, then those that started first."""
    chosen = sa.select(workers.c.id).outerjoin(writers, writers.c.worker == workers.c.id)
    chosen = chosen.where(workers.c.expires_at > now).group_by(workers.c.id, workers.c.started_at)
    streams_of = sa.func.count(writers.c.stream_id)
    return connection.execute(chosen.order_by(streams_of.desc(), workers.c.started_at, workers.c.id)).scalars().all()


def held(connection: Connection, worker: str) -> Sequence[StreamLease]:
    """Return the streams of a worker, in order."""
    chosen = sa.select(writers.c.stream_id, writers.c.worker, writers.c.fence).where(writers.c.worker == worker)
    return [StreamLease(*row) for row in connection.execute(chosen.order_by(writers.c.stream_id))]


def free(connection: Connection, now: int) -> int:
    """Return how many streams no living worker holds."""
    chosen = sa.select(sa.func.count()).select_from(_with_writers()).where(_free(now))
    return int(connection.execute(chosen).scalar_one())


def take(connection: Connection, worker: str, now: int, limit: int) -> Sequence[StreamLease]:
    """Take up to `limit` free streams, each under the next fence; those that another is just taking are passed over."""
    _add_missing(connection)
    chosen = sa.select(writers.c.stream_id).where(_free(now)).order_by(writers.c.stream_id).limit(limit)
    ids = connection.execute(chosen.with_for_update(skip_locked=True)).scalars().all()
    if not ids:
        return []
    taken = writers.update().where(writers.c.stream_id.in_(ids)).values(worker=worker, fence=writers.c.fence + 1)
    rows = connection.execute(taken.returning(writers.c.stream_id, writers.c.worker, writers.c.fence))
    return sorted((StreamLease(*row) for row in rows), key=lambda lease: lease.stream_id)


def give_back(connection: Connection, lease: StreamLease) -> None:
    """Leave a stream to others, if it is still held."""
    connection.execute(writers.update().where(*_IS).values(worker=None), _told(lease))


# Every commit of what was learned asks this: made once.
_CONFIRM = sa.select(writers.c.fence).where(*_IS).with_for_update(read=True)


def confirm(connection: Connection, lease: StreamLease) -> bool:
    """Return whether a lease still holds; if so, nobody takes the stream before this transaction ends."""
    return connection.execute(_CONFIRM, _told(lease)).one_or_none() is not None


def _told(lease: StreamLease) -> dict[str, int | str]:
    return {f"held_{name}": value for name, value in asdict(lease).items()}


def _free(now: int) -> sa.ColumnElement[bool]:
    living = sa.exists().where(workers.c.id == writers.c.worker, workers.c.expires_at > now)
    return writers.c.worker.is_(None) | ~living


def _with_writers() -> sa.FromClause:
    return streams.outerjoin(writers, writers.c.stream_id == streams.c.id)


def _add_missing(connection: Connection) -> None:
    """Give every stream that has none a row, held by nobody."""
    missing = sa.select(streams.c.id, sa.null(), sa.literal(0)).select_from(_with_writers())
    missing = missing.where(writers.c.stream_id.is_(None))
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = insert(writers).from_select(["stream_id", "worker", "fence"], missing)
    connection.execute(added.on_conflict_do_nothing())
