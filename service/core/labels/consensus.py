"""The seats of one sample: what several people answered becomes one label, once they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from learner.asking.consensus import Verdict, consensus, most_probable
from service.core import unanswered
from service.core.identity import new_id
from service.core.labels import judging, labeling
from service.core.labels.labeling import Source
from service.core.parts import Parts
from service.core.specs import QuerySpec
from service.storage import answers, events, log, queries, queue
from service.storage.streams import Stream
from service.storage.tables import AnyRow

FURTHER = 2
"""Seats that may be added to a sample whose answers are even."""


def settle(
    connection: Connection, parts: Parts, stream: Stream, sample_n: int, *, further: bool = True
) -> dict[str, Any] | None:
    """Learn what the answers to a sample agree on, if they do, and return the label.

    The seats that can no longer change it are withdrawn. Where all seats have ended and the answers are even, one more
    person is asked, up to `FURTHER` times, unless not `further`; after that the label that is more probable by the
    people's reliability is learned. Where there is none the answers are kept, and nothing is learned: the sample is
    disputed.
    """
    said = answers.of_sample(connection, sample_n)
    if not said:
        return None
    known = log.label_of_sample(connection, sample_n)
    if known is not None:
        judging.by_label(connection, stream, said, known)
        return None
    seats = queries.seats(connection, sample_n)
    waiting = [seat for seat in seats if seat.state == queries.OPEN]
    verdict, probable = _verdict(connection, stream, said, len(waiting))
    label = verdict.label if verdict.final else None
    if label is None and waiting:
        return None
    if label is None and further and len(seats) < seats[0].seats + FURTHER:
        _ask_one_more(connection, parts, stream, seats)
        return None
    label = label or probable
    if label is None:
        _tell_disputed(connection, parts, stream, said)
        return None
    return _learn(connection, parts, stream, label, said, waiting)


def are_even(connection: Connection, stream: Stream, sample_n: int) -> bool:
    """Return whether people answered a sample, and need one more to agree."""
    said = answers.of_sample(connection, sample_n)
    return bool(said) and not _verdict(connection, stream, said, 0)[0].final


def _verdict(
    connection: Connection, stream: Stream, said: Sequence[AnyRow], remaining: int
) -> tuple[Verdict, str | None]:
    """Return what answers come to, and which of them is the more probable."""
    voices = judging.voices(connection, stream, said)
    classes = {*stream.classes, *(row.label for row in said)}
    verdict = consensus(QuerySpec(**stream.query).consensus, voices, len(classes), remaining=remaining)
    return verdict, most_probable(voices, classes)


def _learn(
    connection: Connection, parts: Parts, stream: Stream, label: str, said: Sequence[AnyRow], waiting: Sequence[AnyRow]
) -> dict[str, Any]:
    last = said[-1]
    truth = labeling.truth_of(connection, last.sample_n)
    source = Source("annotator", f"consensus of {len(said)}", "consensus", last.query_id)
    recorded = labeling.record(connection, parts, stream, truth, label, source)
    answers.learned(connection, [row.id for row in said], recorded["label_id"])
    judging.by_consensus(connection, stream, said, label)
    unanswered.end(connection, parts, stream, waiting, queries.WITHDRAWN, parts.clock.now(), "consensus")
    return recorded


def _ask_one_more(connection: Connection, parts: Parts, stream: Stream, seats: Sequence[AnyRow]) -> None:
    """Open a seat that was withdrawn, or a new one; it costs the budget what the others did, in the warm-up nothing."""
    now, first = parts.clock.now(), seats[0]
    cost = queue.decided_by_threshold(connection, [first.id])
    withdrawn = next((seat for seat in seats if seat.state == queries.WITHDRAWN), None)
    if withdrawn is not None:
        queries.reopen(connection, withdrawn.id, token=None, by=None, until=0, now=now)
        unanswered.book(connection, stream, -cost, open=1, withdrawn=-1)
        return
    unheld = {"lease_token": None, "lease_by": None, "lease_until": 0, "leased_at": 0}
    opened = {"id": new_id("q", parts.clock), "seat": len(seats), "state": queries.OPEN, "opened_at": now}
    seat = first._asdict() | unheld | opened | {"closed_at": None}
    queries.insert(connection, [seat])
    unanswered.book(connection, stream, -cost, asked=1, open=1)
    data = {"query_id": seat["id"], "sample_id": _sample_id(connection, first.sample_n), "reason": first.reason}
    events.add(connection, [{"stream_id": stream.id, "type": "query", "data": data, "at": now}])


def _tell_disputed(connection: Connection, parts: Parts, stream: Stream, said: Sequence[AnyRow]) -> None:
    data = {"sample_id": _sample_id(connection, said[0].sample_n), "disputed": [row.label for row in said]}
    events.add(connection, [{"stream_id": stream.id, "type": "query", "data": data, "at": parts.clock.now()}])


def _sample_id(connection: Connection, sample_n: int) -> str:
    return labeling.truth_of(connection, sample_n).sample_id


def settle_ended(
    connection: Connection, parts: Parts, stream: Stream, ended: Sequence[AnyRow], *, further: bool = True
) -> None:
    """Settle the samples of queries that ended unanswered, by what was answered before."""
    for sample_n in sorted({row.sample_n for row in ended}):
        settle(connection, parts, stream, sample_n, further=further)
