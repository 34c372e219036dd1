"""Labels corrected and taken back: an entry more in the log, and a job that makes the model what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from service.core.access import Principal, Role
from service.core.errors import ConflictError, ForbiddenError, NotFoundError
from service.core.labels import gold_asking, judging, leases, reopening
from service.core.labels.labeling import NEWS, with_class
from service.core.models import jobs
from service.core.parts import Parts
from service.storage import answers, events, gold, log, samples
from service.storage import jobs as job_rows
from service.storage import streams as stream_rows
from service.storage.streams import Stream
from service.storage.tables import AnyRow

Body = dict[str, Any]
_May = Callable[[Connection, AnyRow, Principal], bool]


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
        predicted = samples.by_number(connection, row.sample_n).prediction
        right = None if predicted is None else predicted["label"] == label
        log.mark_corrected(connection, label_id, label, correct=right, now=now)
        said = [answer for answer in answers.of_label(connection, label_id) if answer.retracted_at is None]
        if row.by_id != who.id:  # who thinks again about the own answer proves nothing
            judging.by_truth(connection, stream, said, label)
        stream_rows.update(connection, stream.id, classes=_without(connection, stream, classes, row.label))
        data = {"label_id": label_id, "label": label, "was": row.label, "seq": seq, "by": who.name, "corrected": True}
        events.add(connection, [{"stream_id": stream.id, "type": "label", "data": data, "at": now}])
        job = jobs.queue(connection, parts, stream.id, job_rows.REBUILD, seq, label_id)
        return {"label_id": label_id, "label": label, "seq": seq, "job": job}

    return await _on_label(parts, who, label_id, "correct", _own, work)


async def retract(parts: Parts, who: Principal, label_id: str) -> Body:
    """Take a label back; an annotator only an own one. Its query, if it had one, is leased to `who` again.

    Of a consensus, whoever answered takes back the own answer, and with it the label; anybody else all answers.

    Raises:
        NotFoundError: where there is no such label.
        ForbiddenError: where it is another's.
        ConflictError: where it lies behind the replay horizon.
    """
    asked = await parts.db.read(lambda c: gold.of_label(c, label_id))
    if asked is not None:
        return await parts.db.write(lambda c: _retract_gold(c, parts, leases.locked(c, asked.id), who))
    return await _on_label(
        parts, who, label_id, "take back", _answered, lambda c, stream, row: _retract(c, parts, stream, row, who)
    )


async def retract_answer(parts: Parts, who: Principal, query_id: str) -> Body:
    """Take back the own answer to a query: with the label that rests on it, or before there is one.

    Raises:
        NotFoundError: where there is no such query, or no standing answer of `who` to it.
    """
    touched: list[int] = []

    def work(connection: Connection) -> Body:
        held = leases.locked(connection, query_id)
        if gold.is_gold(held.query):
            return _retract_gold(connection, parts, held, who)
        said, stream = answers.of_query(connection, query_id), held.stream
        if said is None or said.by_id != who.id:
            raise NotFoundError(f"the query '{query_id}' has no answer of yours")
        touched.append(stream.id)
        label = log.label(connection, said.label_id) if said.label_id is not None else None
        if label is not None and label.retracted_at is None:
            return _retract(connection, parts, stream, label, who)
        leased = reopening.take_back(connection, parts, stream, said, who)
        return {"label_id": None, "seq": None, "retracted": True, "query": leased, "job": None}

    outcome = await parts.db.write(work)
    for stream_id in touched:
        parts.tell(stream_id, *NEWS)
    return outcome


async def _on_label(
    parts: Parts,
    who: Principal,
    label_id: str,
    deed: str,
    may: _May,
    work: Callable[[Connection, Stream, AnyRow], Body],
) -> Body:
    """Run `work` on a label whose stream is locked, once it is clear that `who` may."""
    touched: list[int] = []

    def locked(connection: Connection) -> Body:
        row = log.label(connection, label_id)
        if row is None:
            raise NotFoundError(f"there is no label '{label_id}'")
        if who.role is Role.ANNOTATOR and not may(connection, row, who):
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


def _retract(connection: Connection, parts: Parts, stream: Stream, row: AnyRow, who: Principal) -> Body:
    if row.retracted_at is not None:
        job = jobs.of_label(connection, row.id)
        seq = job["seq"] if job else row.seq
        return {"label_id": row.id, "seq": seq, "retracted": True, "query": None, "job": job}
    _check_horizon(stream, row, "taken back")
    now, detail = parts.clock.now(), {"by": who.name}
    seq = log.append(connection, stream.id, log.RETRACTION, now, target_seq=row.seq, detail=detail)
    log.mark_retracted(connection, row.id, now)
    stream_rows.book(connection, stream.id, labels=-1)
    stream_rows.update(connection, stream.id, classes=_without(connection, stream, stream.classes, row.label))
    data = {"label_id": row.id, "label": row.label, "seq": seq, "by": who.name, "retracted": True}
    events.add(connection, [{"stream_id": stream.id, "type": "label", "data": data, "at": now}])
    leased = None if row.query_id is None else reopening.reopen(connection, parts, stream, row, who)
    job = jobs.queue(connection, parts, stream.id, job_rows.REBUILD, seq, row.id)
    return {"label_id": row.id, "seq": seq, "retracted": True, "query": leased, "job": job}


def _retract_gold(connection: Connection, parts: Parts, held: leases.Locked, who: Principal) -> Body:
    return gold_asking.take_back(connection, parts, who, held.stream, held.query)


def _own(_connection: Connection, row: AnyRow, who: Principal) -> bool:
    return bool(row.by_id == who.id)


def _answered(connection: Connection, row: AnyRow, who: Principal) -> bool:
    """Return whether a label is of `who` alone, or was made of an answer of `who` among others."""
    return row.by_id == who.id or any(said.by_id == who.id for said in answers.of_label(connection, row.id))


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
