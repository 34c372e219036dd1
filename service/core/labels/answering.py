"""Answers and skips: what a person says to a query, and its taking back before anything was learned of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from service.clock import SECOND
from service.core.access import Principal
from service.core.errors import ConflictError, LeaseLostError
from service.core.idempotency import Answer, RequestKey, once
from service.core.identity import new_id
from service.core.labels import consensus, gold_asking, labeling, leases
from service.core.labels.labeling import NEWS, Source
from service.core.parts import Parts
from service.core.precedence import NEXT_SECONDS
from service.events import Topic
from service.storage import answers, events, gold, log, queries, samples
from service.storage import streams as stream_rows
from service.storage.streams import Stream
from service.storage.tables import AnyRow


async def answer(
    parts: Parts,
    who: Principal,
    query_id: str,
    lease_token: str,
    label: str,
    duration_ms: int | None,
    key: RequestKey | None,
) -> Answer:
    """Record a person's answer to a query.

    The label is learned at once, or where several people are asked, once they agree: then the answer that brings it
    about carries the label's id and number, and those before say that it is pending.

    Raises:
        NotFoundError: where there is no such query.
        LeaseLostError: where the lease is over; the answer is kept for audit, not learned.
        UnacceptableError: where the label is not a class and may not become one.
    """

    def work(connection: Connection, query: AnyRow, stream: Stream) -> Answer:
        if gold.is_gold(query):
            return gold_asking.answer(connection, parts, who, stream, query, lease_token, (label, duration_ms))
        now = parts.clock.now()
        answered = query.state == queries.ANSWERED and query.lease_token == lease_token
        before = answers.of_query(connection, query_id) if answered else None
        if before is not None:
            if before.label == label:
                return Answer(200, _told(connection, query))
            raise ConflictError(f"this query was answered '{before.label}'; take that back to change it")
        open_to = leases.holds(query, lease_token, now) or _settled_meanwhile(
            connection, parts, query, lease_token, now
        )
        if not open_to:
            queries.keep_late_answer(connection, query_id, label, who.name, now)
            return Answer(LeaseLostError.status, None)
        labeling.with_class(parts, stream, stream.classes, label)
        said = {
            "id": new_id("a", parts.clock),
            "stream_id": stream.id,
            "sample_n": query.sample_n,
            "query_id": query_id,
            "label": label,
            "by": who.name,
            "by_id": who.id,
            "duration_ms": duration_ms,
            "at": now,
        }
        answers.count(connection, stream.id, who.id, who.name, {"answers": 1})
        queries.close(connection, query_id, queries.ANSWERED, now)
        moved = {query.state: -1, queries.ANSWERED: 1}
        if query.seats > 1:
            answers.insert(connection, **said)
            stream_rows.book(connection, stream.id, **moved)
            consensus.settle(connection, parts, stream, query.sample_n)
            return Answer(200, _told(connection, query))
        source = Source("annotator", who.name, who.id, query_id, duration_ms)
        truth = labeling.truth_of(connection, query.sample_n)
        recorded = labeling.record(connection, parts, stream, truth, label, source, moved)
        answers.insert(connection, **said, label_id=recorded["label_id"])
        return Answer(200, recorded)

    outcome = await _on_query(parts, query_id, key, work)
    if outcome.status == LeaseLostError.status:
        raise LeaseLostError
    return outcome


async def skip(parts: Parts, who: Principal, query_id: str, token: str, reason: str, key: RequestKey | None) -> None:
    """Give a query back for good: 'not_for_me' leaves it to others, any other reason ends it.

    Again, by the same person and for the same reason, changes nothing.
    """

    def work(connection: Connection, query: AnyRow, stream: Stream) -> Answer:
        if gold.is_gold(query):
            return gold_asking.skip(connection, parts, query, token)
        now = parts.clock.now()
        if queries.was_skipped(connection, query_id, who.id, reason) and not leases.holds(query, token, now):
            return Answer(204, None)
        leases.must_hold(query, parts, token)
        queries.skip(connection, query_id, who.id, reason, now)
        if reason == "not_for_me":
            queries.extend(connection, query_id, 0)
        else:
            queries.close(connection, query_id, queries.SKIPPED, now)
            stream_rows.book(connection, stream.id, open=-1, skipped=1)
            if query.seats > 1:
                consensus.settle(connection, parts, stream, query.sample_n)
        data = {"query_id": query_id, "skipped": reason}
        events.add(connection, [{"stream_id": stream.id, "type": "query", "data": data, "at": now}])
        return Answer(204, None)

    await _on_query(parts, query_id, key, work, frees=True)


async def _on_query(
    parts: Parts,
    query_id: str,
    key: RequestKey | None,
    work: Callable[[Connection, AnyRow, Stream], Answer],
    *,
    frees: bool = False,
) -> Answer:
    """Run `work` on a query and its stream, both locked until the transaction ends, and tell whoever waits.

    Where it `frees` the query, or the sample's other seats may be had now, whoever waits for one hears of it, too.
    """
    touched: dict[int, bool] = {}

    def locked(connection: Connection) -> Answer:
        found = leases.locked(connection, query_id)
        touched[found.stream.id] = frees or (not gold.is_gold(found.query) and found.query.seats > 1)
        return replace(work(connection, found.query, found.stream), stream_id=found.stream.id)

    with parts.precedence.first(next_within=NEXT_SECONDS):
        outcome = await parts.db.write(lambda c: once(c, parts.clock, key, lambda: locked(c)))
    for stream_id, grew in touched.items():
        parts.tell(stream_id, *NEWS, *([Topic.QUEUE_GREW] if grew else []))
    return outcome


def _told(connection: Connection, query: AnyRow) -> dict[str, Any]:
    """Return what the answer to a query is told: the label that it brought about, or whether one is still to come."""
    made = log.label_of_query(connection, query.id)
    if made is not None:
        return {"label_id": made.id, "seq": made.seq}
    return {"label_id": None, "seq": None, "pending": log.label_of_sample(connection, query.sample_n) is None}


def _settled_meanwhile(connection: Connection, parts: Parts, query: AnyRow, token: str, now: int) -> bool:
    """Return whether others settled the sample while this seat was held.

    Its answer tells no more what the sample is, but still how reliable the person is. Of a sample whose payload was
    purged meanwhile nothing is left to learn from.
    """
    just = query.closed_at is not None and now < query.closed_at + parts.settings.lease_seconds * SECOND
    held = query.seats > 1 and query.state == queries.WITHDRAWN and query.lease_token == token and just
    return bool(held and samples.by_number(connection, query.sample_n).purged_at is None)
