"""Queries that end before anybody answered: counted, told, and given back to the budget in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from learner.asking.policy import give_back
from service.core.parts import Parts
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
    freely, in the warm-up, makes room for another.
    """
    if not rows:
        return
    ids = [row.id for row in rows]
    paid = queue.decided_by_threshold(connection, ids)
    queue.end(connection, ids, state, now)
    while not _given_back(
        connection, stream, paid, free=len(rows) - paid, booked={"open": -len(rows), state: len(rows)}
    ):
        pass  # another has spent in between
    told = [{"query_id": row.id, state: why} for row in rows]
    events.add(connection, [{"stream_id": stream.id, "type": "query", "data": data, "at": now} for data in told])
    parts.metrics.unanswered.labels(stream.name, state).inc(len(rows))


def _given_back(connection: Connection, stream: Stream, paid: int, *, free: int, booked: dict[str, int]) -> bool:
    ledger = stream_rows.ledger(connection, stream.id)
    after = give_back(standing_of(ledger), paid, free=free).to_json()
    return stream_rows.spend(connection, stream.id, turn=ledger.turn, standing=after, **booked)
