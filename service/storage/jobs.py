"""Work that goes on after its request was answered, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import AnyRow, jobs, streams

REBUILD, SNAPSHOT = "rebuild", "snapshot"
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"

_UNFINISHED = (QUEUED, RUNNING, FAILED)


def add(connection: Connection, **values: Any) -> None:
    """Queue a job: `id`, `stream_id`, `kind`, `seq`, `label_id`, `created_at`."""
    connection.execute(jobs.insert().values(**values, state=QUEUED, done=0))


def one(connection: Connection, job_id: str) -> AnyRow | None:
    """Return a job with its stream's name."""
    return connection.execute(_named().where(jobs.c.id == job_id)).one_or_none()


def newest_of_label(connection: Connection, label_id: str) -> AnyRow | None:
    """Return the newest job that a label's correction or retraction made."""
    chosen = _named().where(jobs.c.label_id == label_id).order_by(jobs.c.seq.desc()).limit(1)
    return connection.execute(chosen).one_or_none()


def first_unfinished(connection: Connection, stream_id: int, kind: str) -> AnyRow | None:
    """Return the job of a kind that the worker is at or will be at next; all before it are done."""
    chosen = _named().where(_unfinished(stream_id, kind)).order_by(jobs.c.seq).limit(1)
    return connection.execute(chosen).one_or_none()


def waiting(connection: Connection, stream_id: int, kind: str) -> Sequence[str]:
    """Return the ids of a stream's unfinished jobs of a kind."""
    return connection.execute(_WAITING, {"stream_id": stream_id, "kind": kind}).scalars().all()


def report(connection: Connection, stream_id: int, until: int, *, done: int, total: int, now: int) -> None:
    """Note how far the rebuild is that all jobs up to the entry `until` wait for."""
    started = sa.func.coalesce(jobs.c.started_at, now)
    values = {"state": RUNNING, "done": done, "total": total, "started_at": started, "error": None}
    connection.execute(jobs.update().where(_unfinished(stream_id, REBUILD), jobs.c.seq <= until).values(**values))


def finish(connection: Connection, stream_id: int, kind: str, until: int, *, total: int, now: int) -> None:
    """Note that the jobs up to the entry `until` are done, by applying `total` entries."""
    values = {
        "state": DONE,
        "total": total,
        "done": total,
        "started_at": sa.func.coalesce(jobs.c.started_at, now),
        "finished_at": now,
        "error": None,
    }
    connection.execute(jobs.update().where(_unfinished(stream_id, kind), jobs.c.seq <= until).values(**values))


def fail(connection: Connection, stream_id: int, error: str, until: int) -> None:
    """Note why the last try failed; the worker tries again."""
    chosen = jobs.update().where(_unfinished(stream_id, REBUILD), jobs.c.seq <= until)
    connection.execute(chosen.values(state=FAILED, error=error))


def _named() -> sa.Select[Any]:
    return sa.select(jobs, streams.c.name.label("stream")).join(streams, streams.c.id == jobs.c.stream_id)


def _unfinished(stream_id: Any, kind: Any) -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.stream_id == stream_id, jobs.c.state.in_(_UNFINISHED), jobs.c.kind == kind)


# The worker asks this whenever it has caught up: made once, since making it takes longer than running it.
_WAITING = sa.select(jobs.c.id).where(_unfinished(sa.bindparam("stream_id"), sa.bindparam("kind")))
