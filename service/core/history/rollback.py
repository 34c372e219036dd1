"""Going back: the state becomes that of an earlier moment, what came after counts no more, and nothing is deleted."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection

from service.core import streams
from service.core.access import Principal
from service.core.errors import BeyondHorizonError, Fault, UnacceptableError
from service.core.idempotency import Answer, RequestKey, once
from service.core.labels import reopening
from service.core.labels.labeling import NEWS
from service.core.models import jobs
from service.core.models.lineage import Lineage
from service.core.parts import Parts
from service.events import Topic
from service.storage import events, log, snapshots
from service.storage import jobs as job_rows
from service.storage import streams as stream_rows
from service.storage.streams import Stream
from service.storage.tables import AnyRow


class _Change(NamedTuple):
    """A label that stands differently after the rollback; `label` is None where it stands no more."""

    row: AnyRow
    label: str | None
    corrected: bool


async def roll_back(parts: Parts, who: Principal, name: str, seq: int, key: RequestKey | None) -> Answer:
    """Continue from the moment after entry `seq`.

    Labels, corrections, retractions, classes and rollbacks after it count no more; a later rollback to a moment among
    them makes them count again. Queries whose answers no longer stand are open again.

    Raises:
        NotFoundError: where there is no such stream.
        UnacceptableError: where there is no such entry, or its state can no longer be computed.
    """
    touched: list[int] = []

    def work(connection: Connection) -> Answer:
        stream = streams.find_locked(connection, name)
        if not 0 <= seq <= stream.log_seq:
            said = f"seq must be from {stream.horizon_seq} to {stream.log_seq}, the log's end, got {seq}"
            raise UnacceptableError(said, faults=[Fault("/seq", said)])
        revisions = log.revisions(connection, stream.id)
        before, after = Lineage.of(revisions, stream.log_seq), Lineage.of(revisions, seq)
        check_reachable(connection, stream, after)
        now = parts.clock.now()
        entry = log.append(connection, stream.id, log.ROLLBACK, now, target_seq=seq, detail={"by": who.name})
        changes = _changes(connection, stream, before, after)
        log.restate(connection, [_restated(change, now) for change in changes])
        _settle_queries(connection, parts, stream, changes)
        stream_rows.update(connection, stream.id, classes=_classes(connection, stream, after))
        taken = sum(change.label is None for change in changes)
        data = {"stream": name, "rolled_back_to": seq, "seq": entry, "by": who.name, "labels_taken_back": taken}
        events.add(connection, [{"stream_id": stream.id, "type": "stream", "data": data, "at": now}])
        job = jobs.queue(connection, parts, stream.id, job_rows.REBUILD, entry)
        touched.append(stream.id)
        answered = {"stream": name, "seq": entry, "rolled_back_to": seq, "labels_taken_back": taken, "job": job}
        return Answer(200, answered, stream.id)

    outcome = await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))
    for stream_id in touched:
        parts.tell(stream_id, *NEWS, Topic.QUEUE_GREW)
    return outcome


def check_reachable(connection: Connection, stream: Stream, lineage: Lineage) -> None:
    """Refuse a moment whose state can no longer be computed.

    Raises:
        BeyondHorizonError: where it is so.
    """
    if not stream.horizon_seq:
        return
    pinned = [row for row in snapshots.newest_first(connection, stream.id) if row.pinned]
    if lineage.until < stream.horizon_seq or not any(lineage.continues(row.seq, row.as_of) for row in pinned):
        raise BeyondHorizonError(
            f"entry {lineage.until} lies behind the stream's replay horizon, {stream.horizon_seq}: the features that "
            "its state needs are gone"
        )


def _changes(connection: Connection, stream: Stream, before: Lineage, after: Lineage) -> list[_Change]:
    """Return the labels that stand differently in two histories."""
    first = min([before.shares(after) + 1, *before.revised, *after.revised])
    changes = []
    for row in log.labels_from(connection, stream.id, first):
        stands, corrected = after.stands(row.seq), row.seq in after.revised
        said = after.label_of(row.seq, row.original) if stands else None
        restated = said != (None if row.retracted_at is not None else row.label)
        if restated or (stands and corrected != (row.corrected_at is not None)):
            changes.append(_Change(row, said, corrected))
    return changes


def _restated(change: _Change, now: int) -> dict[str, Any]:
    row, said, corrected = change
    predicted = row.prediction and row.prediction["label"]
    label = row.label if said is None else said
    right = None if predicted is None else predicted == label
    corrected_at = (row.corrected_at or now) if corrected else None
    return {
        "label_id": row.id,
        "said": label,
        "right": right,
        "gone_at": now if said is None else None,
        "revised_at": row.corrected_at if said is None else corrected_at,
    }


def _settle_queries(connection: Connection, parts: Parts, stream: Stream, changes: list[_Change]) -> None:
    """Open the queries whose answers stand no more, and close those whose answers stand again."""
    grown = 0
    # What stands again comes last: an answer may have followed another that was taken back, to the same query.
    for row, said, _corrected in sorted(changes, key=lambda change: change.label is not None):
        stood = row.retracted_at is None
        grown += (said is not None) - stood
        if row.query_id is None or stood == (said is not None):
            continue
        if said is None:
            reopening.reopen(connection, parts, stream, row)
        else:
            reopening.close_again(connection, parts, stream, row)
    stream_rows.book(connection, stream.id, labels=grown)


def _classes(connection: Connection, stream: Stream, lineage: Lineage) -> list[str]:
    """Return the classes of a moment, in the order in which they became known."""
    named = [
        lineage.label_of(row.seq, row.label) for row in log.naming(connection, stream.id) if lineage.stands(row.seq)
    ]
    return list(dict.fromkeys([*stream.initial_classes, *named]))
