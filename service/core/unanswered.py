"""Queries that end before anybody answered: counted, told, and given back to the budget in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from learner.asking.policy import give_back
from service.core.parts import Parts
from service.core.specs import QuerySpec
from service.core.spending import standing_of
from service.storage import events, queue
from service.storage import streams as stream_rows
from service.storage.streams import Stream
from service.storage.tables import AnyRow


def end(
    connection: Connection, parts: Parts, stream: Stream, rows: Sequence[AnyRow], state: str, now: int, why: str
) -> None:
    """End open queries of a locked stream as withdrawn or expired.

    What was asked within the budget is given back to it, so that it can be spent on what is worth more; what was asked
    freely, in the warm-up, makes room for another. Of a sample that somebody answered only the other seats are.
    """
    if not rows:
        return
    ids = [row.id for row in rows]
    queue.end(connection, ids, state, now)
    seats = queue.decided_by_threshold(connection, ids)
    paid, free = queue.nobody_answered(connection, [row.sample_n for row in rows])
    book(connection, stream, seats, paid=paid, free=free, open=-len(rows), **{state: len(rows)})
    told = [{"query_id": row.id, state: why} for row in rows]
    events.add(connection, [{"stream_id": stream.id, "type": "query", "data": data, "at": now} for data in told])
    parts.metrics.unanswered.labels(stream.name, state).inc(len(rows))


def book(connection: Connection, stream: Stream, seats: int, *, paid: int = 0, free: int = 0, **counts: int) -> None:
    """Give seats back to the budget, or charge it where negative, and add to the ledger's counts.

    `paid` and `free` are the samples that those seats asked within the budget and outside.
    """
    mean = QuerySpec(**stream.query).seats
    while True:
        ledger = stream_rows.ledger(connection, stream.id)
        standing = standing_of(ledger)
        after = give_back(standing, paid, free=free)._replace(buckets=standing.buckets.moved(seats / mean))
        if stream_rows.spend(connection, stream.id, turn=ledger.turn, standing=after.to_json(), **counts):
            return  # otherwise another has spent in between
