"""The way in: a sample is parsed, scored, perhaps asked, and stored whole in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import anyio.to_thread
from sqlalchemy import Connection

from learner.asking.duplicates import COMPARED
from service.core import streams
from service.core.access import Principal
from service.core.errors import EngramError
from service.core.idempotency import Answer, RequestKey, once
from service.core.inputs import parse
from service.core.parts import Parts
from service.core.samples.intake import Intake, Outcome, SampleIn, Scored
from service.core.specs import as_input
from service.events import Topic
from service.storage import queue, samples
from service.storage import streams as stream_rows
from service.storage.streams import Stream


async def ingest(
    parts: Parts,
    name: str,
    sent: Sequence[SampleIn | EngramError],
    by: Principal,
    key: RequestKey | None,
    *,
    blame: Callable[[int, EngramError], EngramError] | None = None,
) -> Answer:
    """Accept samples of one stream: answer each with prediction, uncertainty and query, or with what is wrong.

    Samples of one call share one model version and one commit; what could not be parsed comes as its error.

    Args:
        parts: the service's.
        name: the stream's.
        sent: the samples.
        by: who sends them.
        key: the request's Idempotency-Key.
        blame: where all samples are to be taken or none, what is to be raised of the first that is not acceptable.

    Raises:
        EngramError: where one is not acceptable and all are to be taken or none.
    """
    stream, prepared = await anyio.to_thread.run_sync(_prepare, parts, name, sent)
    for n, found in enumerate(prepared):
        if blame is not None and isinstance(found, EngramError):
            raise blame(n, found)

    def work(connection: Connection) -> Answer:
        outcomes, known = _store(connection, parts, stream, prepared, by)
        results = [
            found.as_problem(inside=f"/samples/{n}") if isinstance(found, EngramError) else found
            for n, found in enumerate(outcomes)
        ]
        return Answer(200, {"results": results, "known": known}, stream.id)

    answer = await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))
    _tell(parts, stream, sent, answer.body["results"])
    return answer


async def ingest_one(parts: Parts, name: str, sent: SampleIn, by: Principal, key: RequestKey | None) -> Answer:
    """Accept one sample.

    Raises:
        EngramError: where it is not acceptable.
    """
    stream, prepared = await anyio.to_thread.run_sync(_prepare, parts, name, [sent])

    def work(connection: Connection) -> Answer:
        [outcome], _known = _store(connection, parts, stream, prepared, by)
        if isinstance(outcome, EngramError):
            raise outcome
        return Answer(200, outcome, stream.id)

    answer = await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))
    _tell(parts, stream, [sent], [answer.body])
    return answer


def _tell(
    parts: Parts, stream: Stream, sent: Sequence[SampleIn | EngramError], results: Sequence[dict[str, Any]]
) -> None:
    topics = [Topic.EVENTS_ADDED]
    if any(result.get("query") for result in results):
        topics.append(Topic.QUEUE_GREW)
    if any(isinstance(sample, SampleIn) and sample.label is not None for sample in sent):
        topics.append(Topic.LOG_GREW)
    parts.tell(stream.id, *topics)


def _prepare(
    parts: Parts, name: str, sent: Sequence[SampleIn | EngramError]
) -> tuple[Stream, list[Scored | EngramError]]:
    """Parse and score; a sample that is not acceptable becomes its error."""
    stream = parts.db.read_now(lambda c: streams.find(c, name))
    spec = as_input(stream.input)
    scorer = parts.models.scorer(stream)
    prepared: list[Scored | EngramError] = []
    for sample in sent:
        if isinstance(sample, EngramError):
            prepared.append(sample)
            continue
        try:
            x = parse(sample.data, spec, max_pixels=parts.settings.max_image_pixels)
        except EngramError as error:
            prepared.append(error)
            continue
        with parts.metrics.score_seconds.labels(name).time():
            said = scorer.predict(x)
        prepared.append(Scored(sample, x, said, scorer.seq, partial(scorer.packed_code, x)))
    return stream, prepared


def _store(
    connection: Connection, parts: Parts, known: Stream, prepared: Sequence[Scored | EngramError], by: Principal
) -> tuple[list[Outcome], list[int]]:
    """Decide and write, again where another has spent in between; return also which were there before."""
    stream = streams.find_locked(connection, known.name)
    while True:
        ledger = stream_rows.ledger(connection, stream.id)
        intake = Intake(parts, stream, ledger, by, partial(queue.newest_codes, connection, stream.id, COMPARED))
        taken = _take(connection, stream, intake, prepared)
        if intake.write(connection):
            return taken


def _take(
    connection: Connection, stream: Stream, intake: Intake, prepared: Sequence[Scored | EngramError]
) -> tuple[list[Outcome], list[int]]:
    """Decide; a sample whose id is there already is answered as the first time, and its place is returned."""
    ids = [item.sent.id for item in prepared if isinstance(item, Scored) and item.sent.id is not None]
    answers = {row.id: answer_of(row) for row in samples.known(connection, stream.id, ids).values()}
    outcomes: list[Outcome] = []
    known: list[int] = []
    for n, item in enumerate(prepared):
        if isinstance(item, EngramError):
            outcomes.append(item)
        elif item.sent.id is not None and item.sent.id in answers:
            outcomes.append(answers[item.sent.id])
            known.append(n)
        else:
            outcome = intake.take(item)
            outcomes.append(outcome)
            if not isinstance(outcome, EngramError):
                answers[outcome["id"]] = outcome
    return outcomes, known


def answer_of(row: Any) -> dict[str, Any]:
    """Return the answer that a stored sample was given at arrival."""
    query = None
    if row.query_id is not None:
        query = {"id": row.query_id, "reason": row.reason, "propensity": row.query_propensity}
    return {
        "id": row.id,
        "prediction": row.prediction,
        "uncertainty": row.uncertainty,
        "query": query,
        "model_version": row.model_version,
    }
