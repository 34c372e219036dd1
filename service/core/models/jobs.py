"""Work that goes on after its request was answered: rebuilding a model, taking a snapshot."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from service.clock import iso
from service.core.errors import NotFoundError
from service.core.identity import new_id
from service.core.parts import Parts
from service.storage import jobs


def queue(
    connection: Connection, parts: Parts, stream_id: int, kind: str, seq: int, label_id: str | None = None
) -> dict[str, Any]:
    """Queue a job that the entry `seq` waits for, and return it as the contract has it."""
    job_id = new_id("j", parts.clock)
    jobs.add(
        connection,
        id=job_id,
        stream_id=stream_id,
        kind=kind,
        seq=seq,
        label_id=label_id,
        created_at=parts.clock.now(),
    )
    return look(connection, job_id)


def look(connection: Connection, job_id: str) -> dict[str, Any]:
    """Return a job.

    Raises:
        NotFoundError: where there is none of that id.
    """
    row = jobs.one(connection, job_id)
    if row is None:
        raise NotFoundError(f"there is no job '{job_id}'")
    return body(row)


def of_label(connection: Connection, label_id: str) -> dict[str, Any] | None:
    """Return the newest job of a label's correction or retraction."""
    row = jobs.newest_of_label(connection, label_id)
    return None if row is None else body(row)


def rebuild_of(connection: Connection, stream_id: int) -> dict[str, Any] | None:
    """Return the rebuild that a stream waits for, None where its model is as its log says."""
    row = jobs.first_unfinished(connection, stream_id, jobs.REBUILD)
    return None if row is None else body(row)


def body(row: Any) -> dict[str, Any]:
    """Return a job as the contract has it; `done` and `total` count log entries to apply."""
    times = {name: getattr(row, name) for name in ("created_at", "started_at", "finished_at")}
    return {
        "id": row.id,
        "stream": row.stream,
        "kind": row.kind,
        "seq": row.seq,
        "state": row.state,
        "done": row.done,
        "total": row.total,
        "error": row.error,
        **{name: None if at is None else iso(at) for name, at in times.items()},
    }
