"""How reliable each person is: counts that follow every answer as it is judged, and judged anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from learner.asking.consensus import Answer, posterior
from learner.asking.reliability import Reliability
from service.storage import answers
from service.storage.streams import Stream
from service.storage.tables import AnyRow


def reliability(row: AnyRow | None) -> Reliability:
    """Return what a row of counts says of a person."""
    return Reliability() if row is None else Reliability(row.right, row.wrong)


def voices(connection: Connection, stream: Stream, said: Sequence[AnyRow]) -> list[Answer]:
    """Return answers with how reliable each person is at this moment."""
    known = {row.by_id: reliability(answers.annotator(connection, stream.id, row.by_id)).mean for row in said}
    return [Answer(row.label, known[row.by_id]) for row in said]


def by_consensus(connection: Connection, stream: Stream, said: Sequence[AnyRow], label: str) -> None:
    """Judge answers by what all of them together make probable; a lone answer proves nothing of itself."""
    if len(said) < 2:
        return
    chances = posterior(voices(connection, stream, said), stream.classes)
    _judge(connection, stream, said, {row.id: chances[row.label] for row in said}, label)


def by_truth(connection: Connection, stream: Stream, said: Sequence[AnyRow], label: str) -> None:
    """Judge answers by a label that is known to be right."""
    _judge(connection, stream, said, {row.id: float(row.label == label) for row in said}, label)


def by_label(connection: Connection, stream: Stream, said: Sequence[AnyRow], known: AnyRow) -> None:
    """Judge answers to a sample that has its label already."""
    answers.learned(connection, [row.id for row in said], known.id)
    judge = by_truth if known.source == "truth" or known.corrected_at is not None else by_consensus
    judge(connection, stream, said, known.label)


def not_at_all(connection: Connection, stream: Stream, said: Sequence[AnyRow]) -> None:
    """Forget how answers were judged."""
    _judge(connection, stream, said, {}, None)


def _judge(
    connection: Connection, stream: Stream, said: Sequence[AnyRow], chances: Mapping[str, float], label: str | None
) -> None:
    for row in said:
        chance = chances.get(row.id)
        agreed = None if chance is None else row.label == label
        more: dict[str, float] = dict.fromkeys(("compared", "agreed", "right", "wrong"), 0)
        for sign, odds, same in ((-1, row.chance, row.agreed), (1, chance, agreed)):
            if odds is not None:
                more["compared"] += sign
                more["agreed"] += sign * bool(same)
                more["right"] += sign * odds
                more["wrong"] += sign * (1.0 - odds)
        answers.judge(connection, row.id, chance, agreed=agreed)
        if any(more.values()):
            answers.count(connection, stream.id, row.by_id, row.by, more)
