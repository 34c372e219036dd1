"""Answers that stand no more, and stand again: their queries are open again, or closed as they were."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection

from service.core.access import Principal, Role
from service.core.labels import judging, leases
from service.core.parts import Parts
from service.storage import answers, queries, samples
from service.storage import streams as stream_rows
from service.storage.streams import Stream
from service.storage.tables import AnyRow


def reopen(
    connection: Connection, parts: Parts, stream: Stream, label: AnyRow, who: Principal | None = None
) -> dict[str, Any] | None:
    """Take back the answers that a label was made of, and open their queries again; return a lease for `who`.

    Of a consensus, whoever answered takes back the own answer; the others wait for what comes in its place. Anybody
    else takes back all of them.
    """
    said = [row for row in answers.of_label(connection, label.id) if row.retracted_at is None]
    judging.not_at_all(connection, stream, said)
    own = [row for row in said if who is not None and row.by_id == who.id]
    return _take_back(connection, parts, stream, own or said, label.sample_n, who)


def take_back(
    connection: Connection, parts: Parts, stream: Stream, said: AnyRow, who: Principal
) -> dict[str, Any] | None:
    """Take back one answer of which nothing was learned, and lease its query to `who` again."""
    return _take_back(connection, parts, stream, [said], said.sample_n, who)


def close_again(connection: Connection, parts: Parts, stream: Stream, label: AnyRow) -> None:
    """Let the answers that a label was made of stand again, in place of any that came after them."""
    now, booked = parts.clock.now(), Counter[str]()
    made_of = answers.of_label(connection, label.id)
    seats = {seat.id: seat for seat in queries.seats(connection, label.sample_n)}
    for row in made_of:
        other = answers.of_query(connection, row.query_id)
        if other is not None and other.id != row.id:
            judging.not_at_all(connection, stream, [other])
            _stands(connection, stream, other, now)
        if row.retracted_at is not None:
            _stands(connection, stream, row, None)
        _move(connection, seats.pop(row.query_id), queries.ANSWERED, booked, now)
    for seat in seats.values():
        if seat.state == queries.OPEN:
            _move(connection, seat, queries.WITHDRAWN, booked, now)
    judging.by_consensus(connection, stream, made_of, label.label)
    _book(connection, stream, booked)


def _take_back(
    connection: Connection, parts: Parts, stream: Stream, said: list[AnyRow], sample_n: int, who: Principal | None
) -> dict[str, Any] | None:
    now, booked = parts.clock.now(), Counter[str]()
    purged = samples.by_number(connection, sample_n).purged_at is not None
    leased = None
    for row in said:
        _stands(connection, stream, row, now)
        query = queries.one(connection, row.query_id)
        if query is None or query.state != queries.ANSWERED:
            continue
        _move(connection, query, queries.WITHDRAWN if purged else queries.OPEN, booked, now)
        if leased is None and not purged and who is not None and who.role in (Role.ANNOTATOR, Role.ADMIN):
            token, until = leases.new_lease(parts)
            queries.reopen(connection, query.id, token=token, by=who.id, until=until, now=now)
            leased = {"id": query.id, "lease": leases.lease_body(token, until)}
    _book(connection, stream, booked)
    return leased


def _stands(connection: Connection, stream: Stream, row: AnyRow, retracted_at: int | None) -> None:
    answers.stands(connection, row.id, retracted_at)
    answers.count(connection, stream.id, row.by_id, row.by, {"answers": 1 if retracted_at is None else -1})


def _move(connection: Connection, seat: AnyRow, state: str, booked: Counter[str], now: int) -> None:
    booked[seat.state] -= 1
    booked[state] += 1
    if state == queries.OPEN:
        queries.reopen(connection, seat.id, token=None, by=None, until=0, now=now)
    else:
        queries.close(connection, seat.id, state, now)


def _book(connection: Connection, stream: Stream, booked: Counter[str]) -> None:
    stream_rows.book(connection, stream.id, **booked)
