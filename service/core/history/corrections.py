"""Labels corrected and taken back: an entry more in the log, and a job that makes the model what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from service.core.access import Principal, Role
from service.core.errors import ConflictError, ForbiddenError, NotFoundError
from service.core.labels import leasing
from service.core.labels.labeling import NEWS, with_class
from service.core.models import jobs
from service.core.parts import Parts
from service.storage import events, log, queries, samples
from service.storage import jobs as job_rows
from service.storage import streams as stream_rows
from service.storage.streams import Stream
from service.storage.tables import AnyRow

Body = dict[str, Any]


async def correct(parts: Parts, who: Principal, label_id: str, label: str) -> Body:
    """Make a label name another class; an annotator may correct only own ones. The same again changes nothing.

    Raises:
        NotFoundError: where there is no such label.
        ForbiddenError: where it is another's.
        ConflictError: where it was taken back, or lies behind the replay horizon.
        UnacceptableError: where the new one is not a class and may not become one.
    """

    def work(connection: Connection, stream: Stream, row: AnyRow) -> Body:
        if row.retracted_at is not None:
            raise ConflictError("this label was taken back; a label that does not stand cannot be corrected")
        if row.label == label:
            job = jobs.of_label(connection, label_id)
            return {"label_id": label_id, "label": label, "seq": job["seq"] if job else row.seq, "job": job}
        _check_horizon(stream, row, "corrected")
        now, detail = parts.clock.now(), {"by": who.name}
        classes = with_class(parts, stream, stream.classes, label)
        seq = log.append(connection, stream.id, log.CORRECTION, now, label=label, target_seq=row.seq, detail=detail)
        said = samples.by_number(connection, row.sample_n).prediction
        right = None if said is None else said["label"] == label
        log.mark_corrected(connection, label_id, label, correct=right, now=now)
        stream_rows.update(connection, stream.id, classes=_without(connection, stream, classes, row.label))
        data = {"label_id": label_id, "label": label, "was": row.label, "seq": seq, "by": who.name, "corrected": True}
        events.add(connection, [{"stream_id": stream.id, "type": "label", "data": data, "at": now}])
        job = jobs.queue(connection, parts, stream.id, job_rows.REBUILD, seq, label_id)
        return {"label_id": label_id, "label": label, "seq": seq, "job": job}

    return await _on_label(parts, who, label_id, "correct", work)


async def retract(parts: Parts, who: Principal, label_id: str) -> Body:
    """Take a label back; an annotator only an own one. Its query, if it had one, is leased to `who` again.

    Raises:
        NotFoundError: where there is no such label.
        ForbiddenError: where it is another's.
        ConflictError: where it lies behind the replay horizon.
    """

    def work(connection: Connection, stream: Stream, row: AnyRow) -> Body:
        if row.retracted_at is not None:
            job = jobs.of_label(connection, label_id)
            return {"label_id": label_id, "seq": row.seq, "retracted": True, "query": None, "job": job}
        _check_horizon(stream, row, "taken back")
        now, detail = parts.clock.now(), {"by": who.name}
        seq = log.append(connection, stream.id, log.RETRACTION, now, target_seq=row.seq, detail=detail)
        log.mark_retracted(connection, label_id, now)
        stream_rows.book(connection, stream.id, labels=-1)
        stream_rows.update(connection, stream.id, classes=_without(connection, stream, stream.classes, row.label))
        data = {"label_id": label_id, "label": row.label, "seq": seq, "by": who.name, "retracted": True}
        events.add(connection, [{"stream_id": stream.id, "type": "label", "data": data, "at": now}])
        leased = None if row.query_id is None else _lease_again(connection, parts, stream, row, who)
        job = jobs.queue(connection, parts, stream.id, job_rows.REBUILD, seq, label_id)
        return {"label_id": label_id, "seq": seq, "retracted": True, "query": leased, "job": job}

    return await _on_label(parts, who, label_id, "take back", work)


async def _on_label(
    parts: Parts, who: Principal, label_id: str, deed: str, work: Callable[[Connection, Stream, AnyRow], Body]
) -> Body:
    """Run `work` on a label whose stream is locked, once it is clear that `who` may."""
    touched: list[int] = []

    def locked(connection: Connection) -> Body:
        row = log.label(connection, label_id)
        if row is None:
            raise NotFoundError(f"there is no label '{label_id}'")
        if who.role is Role.ANNOTATOR and row.by_id != who.id:
            raise ForbiddenError(f"an annotator may {deed} only own labels")
        stream = stream_rows.lock(connection, row.stream_id)
        row = log.label(connection, label_id)
        if stream is None or row is None:
            raise NotFoundError(f"there is no label '{label_id}'")
        touched.append(stream.id)
        return work(connection, stream, row)

    outcome = await parts.db.write(locked)
    for stream_id in touched:
        parts.tell(stream_id, *NEWS)
    return outcome


def _check_horizon(stream: Stream, row: AnyRow, what: str) -> None:
    if row.seq <= stream.horizon_seq:
        raise ConflictError(
            f"this label is entry {row.seq} of the log and can no longer be {what}: the features of the entries up to "
            f"{stream.horizon_seq}, the stream's replay horizon, are gone"
        )


def _without(connection: Connection, stream: Stream, classes: list[str], label: str) -> list[str]:
    """Return the classes without one that only labels which no longer say so had named."""
    if label in stream.initial_classes or log.class_stands(connection, stream.id, label):
        return classes
    return [known for known in classes if known != label]


def _lease_again(
    connection: Connection, parts: Parts, stream: Stream, row: AnyRow, who: Principal
) -> dict[str, Any] | None:
    """Open the label's query again, leased to whoever took the label back, if there is still something to look at."""
    if samples.by_number(connection, row.sample_n).purged_at is not None:
        queries.close(connection, row.query_id, queries.WITHDRAWN, parts.clock.now())
        stream_rows.book(connection, stream.id, answered=-1, withdrawn=1)
        return None
    answers = who.role in (Role.ANNOTATOR, Role.ADMIN)
    token, until = leasing.new_lease(parts)
    queries.reopen(connection, row.query_id, token=token, by=who.id, until=until if answers else 0)
    stream_rows.book(connection, stream.id, open=1, answered=-1)
    return {"id": row.query_id, "lease": leasing.lease_body(token, until)} if answers else None
