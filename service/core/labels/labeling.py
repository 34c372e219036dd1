"""A label enters the log under its number in one transaction, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection

from service.clock import SECOND
from service.core import streams, unanswered
from service.core.access import Principal
from service.core.errors import (
    ConflictError,
    NotFoundError,
    UnacceptableError,
)
from service.core.idempotency import Answer, RequestKey, once
from service.core.identity import new_id
from service.core.labels import judging
from service.core.parts import Parts
from service.events import Topic
from service.storage import answers, events, log, queries, queue, samples
from service.storage import streams as stream_rows
from service.storage.streams import Stream

NEWS = (Topic.LOG_GREW, Topic.EVENTS_ADDED)


@dataclass(frozen=True, slots=True)
class Truth:
    """The sample that a label is for: number, id, features, and what was predicted at arrival."""

    sample_n: int
    sample_id: str
    features: bytes
    predicted: str | None


class Source(NamedTuple):
    """Where a label comes from: people by an answer, or another system."""

    kind: str
    by: str
    by_id: str
    query_id: str | None = None
    duration_ms: int | None = None


def with_class(parts: Parts, stream: Stream, classes: list[str], label: str) -> list[str]:
    """Return the classes with `label` among them.

    Raises:
        UnacceptableError: where it is unknown and the stream's classes are closed, or there are too many.
    """
    if label in classes:
        return classes
    if not stream.open_classes:
        known = ", ".join(classes[:20])
        raise UnacceptableError.at("/label", f"label must be one of the stream's classes ({known}), got '{label}'")
    if len(classes) >= parts.settings.max_classes:
        raise UnacceptableError.at("/label", f"a stream may have at most {parts.settings.max_classes} classes")
    return [*classes, label]


async def learn_late(
    parts: Parts, who: Principal, name: str, sample_id: str, label: str, key: RequestKey | None
) -> Answer:
    """Record the truth of a sample that came before, from another system.

    Raises:
        NotFoundError: where there is no such sample.
        ConflictError: where the sample has another label already, or its payload was purged.
        UnacceptableError: where the label is not a class and may not become one.
    """

    def work(connection: Connection) -> Answer:
        stream = streams.find_locked(connection, name)
        sample = samples.one(connection, stream.id, sample_id)
        if sample is None:
            raise NotFoundError(f"the stream '{name}' has no sample '{sample_id}'")
        before = log.label_of_sample(connection, sample.n)
        if before is not None:
            if before.label != label:
                raise ConflictError(f"this sample has the label '{before.label}'; take that back to change it")
            return Answer(200, {"label_id": before.id, "seq": before.seq}, stream.id)
        if sample.purged_at is not None:
            raise ConflictError(
                "the payload of this sample was purged after its life time; nothing is left to learn from"
            )
        predicted = sample.prediction and sample.prediction["label"]
        truth = Truth(sample.n, sample.id, sample.features, predicted)
        recorded = record(connection, parts, stream, truth, label, Source("truth", who.name, who.id))
        asked = queue.of_samples(connection, [sample.n])
        unanswered.end(connection, parts, stream, asked, queries.WITHDRAWN, parts.clock.now(), "truth")
        known, said = log.label(connection, recorded["label_id"]), answers.of_sample(connection, sample.n)
        if known is not None and said:
            judging.by_label(connection, stream, said, known)
        return Answer(200, recorded, stream.id)

    outcome = await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))
    stream = await parts.db.read(lambda c: streams.find(c, name))
    parts.tell(stream.id, *NEWS)
    return outcome


def learn_truth(connection: Connection, parts: Parts, name: str, truth: Truth, label: str, by: Principal) -> None:
    """Record a truth that came with its sample, in the transaction that stores the sample."""
    stream = streams.find(connection, name)
    record(connection, parts, stream, truth, label, Source("truth", by.name, by.id))


def record(
    connection: Connection,
    parts: Parts,
    stream: Stream,
    truth: Truth,
    label: str,
    source: Source,
    booked: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Any]:
    """Write one label: its log entry, its row, its event, and its class where that is new.

    `booked` is what else the ledger's counts grow by.
    """
    classes = with_class(parts, stream, stream.classes, label)
    if classes is not stream.classes:
        stream_rows.update(connection, stream.id, classes=classes)
    now = parts.clock.now()
    # A person may think again for a moment; a system that tells the truth does not.
    wait = int(parts.settings.learn_after_seconds * SECOND) if source.kind == "annotator" else 0
    due = now + wait if wait else None
    seq = log.append(connection, stream.id, log.LABEL, now, label=label, features=truth.features, due_at=due)
    label_id = new_id("l", parts.clock)
    log.add_label(
        connection,
        {
            "id": label_id,
            "stream_id": stream.id,
            "sample_n": truth.sample_n,
            "query_id": source.query_id,
            "label": label,
            "seq": seq,
            "source": source.kind,
            "by": source.by,
            "by_id": source.by_id,
            "duration_ms": source.duration_ms,
            "correct": None if truth.predicted is None else truth.predicted == label,
            "at": now,
        },
    )
    data = {"label_id": label_id, "sample_id": truth.sample_id, "label": label, "seq": seq, "by": source.by}
    events.add(connection, [{"stream_id": stream.id, "type": "label", "data": data, "at": now}])
    stream_rows.book(connection, stream.id, **booked, labels=1)
    parts.metrics.labels.labels(stream.name, source.kind).inc()
    return {"label_id": label_id, "seq": seq}


def truth_of(connection: Connection, sample_n: int) -> Truth:
    """Return what a label of the sample is learned with."""
    sample = samples.by_number(connection, sample_n)
    return Truth(sample_n, sample.id, sample.features, sample.prediction and sample.prediction["label"])
