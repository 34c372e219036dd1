"""Looking back: a sample, the labels, the snapshots."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from service.clock import iso
from service.core import streams
from service.core.errors import NotFoundError, UnacceptableError
from service.core.idempotency import Answer, RequestKey, once
from service.core.inputs import from_bytes
from service.core.models import jobs
from service.core.models.scoring import prediction_body, uncertainty_body
from service.core.parts import Parts
from service.core.samples.ingestion import answer_of
from service.core.specs import as_input
from service.events import Topic
from service.storage import answers, log, samples, snapshots
from service.storage import jobs as job_rows
from service.storage.streams import Stream
from service.storage.tables import AnyRow

Row = dict[str, Any]


def sample(parts: Parts, name: str, sample_id: str, at: int | str | None = None) -> Row:
    """Return a sample with prediction at arrival, query and label; with `at`, also what the model of that moment says.

    `at` is 'now' or the number of a log entry.

    Raises:
        NotFoundError: where there is no such sample.
        UnacceptableError: where `at` is beyond the log's end or its replay horizon, or nothing is left to predict of.
    """
    stream, row, label, features = parts.db.read_now(lambda c: _look(c, name, sample_id))
    found = answer_of(row)
    if row.query_id is not None:
        found["query"] |= {"state": row.query_state}
    found |= {"data": row.data, "display": row.display, "at": iso(row.at), "purged": row.purged_at is not None}
    found["label"] = None if label is None else _label(label, sample_id)
    if at is None:
        return found
    if features is None:
        raise UnacceptableError("the payload of this sample was purged; nothing is left to predict of")
    if isinstance(at, int) and at > stream.log_seq:
        raise UnacceptableError.at(
            "/query/at", f"at must be 'now' or at most {stream.log_seq}, the end of the log, got {at}"
        )
    scorer = parts.past.scorer(stream, at) if isinstance(at, int) else parts.models.scorer(stream)
    said = scorer.predict(from_bytes(features, as_input(stream.input)))
    found["then" if isinstance(at, int) else "now"] = {
        "prediction": prediction_body(said),
        "uncertainty": uncertainty_body(said),
        "model_version": scorer.seq,
    }
    return found


def _look(connection: Connection, name: str, sample_id: str) -> tuple[Stream, AnyRow, AnyRow | None, bytes | None]:
    stream = streams.find(connection, name)
    row = samples.one(connection, stream.id, sample_id)
    if row is None:
        raise NotFoundError(f"the stream '{name}' has no sample '{sample_id}'")
    label = log.label_of_sample(connection, row.n)
    features = row.features
    if row.purged_at is not None:
        features = None if label is None else log.features_of(connection, stream.id, label.seq)
    return stream, row, label, features


async def take_snapshot(parts: Parts, name: str, key: RequestKey | None) -> Answer:
    """Have the newest state of a stream stored."""
    touched: list[int] = []

    def work(connection: Connection) -> Answer:
        stream = streams.find_locked(connection, name)
        touched.append(stream.id)
        job = jobs.queue(connection, parts, stream.id, job_rows.SNAPSHOT, stream.applied_seq)
        return Answer(202, {"job": job}, stream.id)

    answer = await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))
    for stream_id in touched:
        parts.tell(stream_id, Topic.LOG_GREW)
    return answer


def labels(connection: Connection, name: str, after: int, limit: int) -> tuple[list[Row], int | None]:
    """Return a page of labels in order of `seq`, and where the next page begins."""
    stream = streams.find(connection, name)
    rows = log.label_page(connection, stream.id, after, limit + 1)
    said = answers.said_of(connection, [row.id for row in rows[:limit]])
    items = [_label(row, row.sample_id) | _agreement(row, said.get(row.id, [])) for row in rows[:limit]]
    return items, (rows[limit - 1].seq if len(rows) > limit else None)


def snapshot_page(
    connection: Connection, name: str, before: tuple[int, ...] | None, limit: int
) -> tuple[list[Row], tuple[int, ...] | None]:
    """Return a page of the snapshots, newest first, and before which the next page begins."""
    stream = streams.find(connection, name)
    rows = snapshots.page(connection, stream.id, before, limit + 1)
    more = (rows[limit - 1].seq, rows[limit - 1].as_of) if len(rows) > limit else None
    return [_snapshot(row) for row in rows[:limit]], more


def _snapshot(row: AnyRow) -> Row:
    header = row.header or {}
    return {
        "seq": row.seq,
        "as_of": row.as_of,
        "hash": row.hash,
        "at": iso(row.at),
        "parent": header.get("parent"),
        "state_version": header.get("state_version"),
        "made_with": header.get("made_with"),
        "beginning": row.pinned,
        "damaged": row.damaged_at is not None,
    }


def _label(row: Any, sample_id: str) -> Row:
    return {
        "label_id": row.id,
        "sample_id": sample_id,
        "label": row.label,
        "seq": row.seq,
        "source": row.source,
        "by": row.by,
        "at": iso(row.at),
        "retracted": row.retracted_at is not None,
        "corrected": row.corrected_at is not None,
    }


def _agreement(row: AnyRow, said: list[str]) -> Row:
    """Return how many answers a label was made of, and which share of them says the same."""
    return {"answers": len(said), "agreement": said.count(row.label) / len(said) if said else None}
