"""What each person answered, and what is known of each person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import AnyRow, annotators, answers, queries, skips

_COUNTS = ("answers", "compared", "agreed", "gold", "gold_right", "right", "wrong")


# Statements that every answer runs are made once: making one takes several times as long as running it.
_INSERT = answers.insert()


def insert(connection: Connection, **values: Any) -> None:
    """Add an answer."""
    connection.execute(_INSERT, values)


def of_query(connection: Connection, query_id: str) -> AnyRow | None:
    """Return the standing answer to a query."""
    chosen = sa.select(answers).where(answers.c.query_id == query_id, answers.c.retracted_at.is_(None))
    return connection.execute(chosen).one_or_none()


def of_sample(connection: Connection, sample_n: int) -> Sequence[AnyRow]:
    """Return the standing answers to all queries of a sample, in the order in which they came."""
    chosen = sa.select(answers).where(answers.c.sample_n == sample_n, answers.c.retracted_at.is_(None))
    return connection.execute(chosen.order_by(answers.c.at, answers.c.id)).all()


def of_label(connection: Connection, label_id: str) -> Sequence[AnyRow]:
    """Return the answers that a label was made of, those that were taken back too."""
    return connection.execute(sa.select(answers).where(answers.c.label_id == label_id).order_by(answers.c.at)).all()


def learned(connection: Connection, answer_ids: Sequence[str], label_id: str) -> None:
    """Note which label was made of answers."""
    connection.execute(answers.update().where(answers.c.id.in_(answer_ids)).values(label_id=label_id))


def judge(connection: Connection, answer_id: str, chance: float | None, *, agreed: bool | None) -> None:
    """Note how probable it is that an answer is right, and whether it is what was learned."""
    connection.execute(answers.update().where(answers.c.id == answer_id).values(chance=chance, agreed=agreed))


def stands(connection: Connection, answer_id: str, retracted_at: int | None) -> None:
    """Take an answer back, or let it stand again."""
    connection.execute(answers.update().where(answers.c.id == answer_id).values(retracted_at=retracted_at))


def said_of(connection: Connection, label_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the answers that each label was made of; labels without any are left out."""
    found: dict[str, list[str]] = {}
    for row in connection.execute(
        sa.select(answers.c.label_id, answers.c.label).where(answers.c.label_id.in_(label_ids))
    ):
        found.setdefault(row.label_id, []).append(row.label)
    return found


def annotator(connection: Connection, stream_id: int, by_id: str) -> AnyRow | None:
    """Return what is known of a person."""
    chosen = sa.select(annotators).where(annotators.c.stream_id == stream_id, annotators.c.by_id == by_id)
    return connection.execute(chosen).one_or_none()


def every_annotator(connection: Connection, stream_id: int) -> Sequence[AnyRow]:
    """Return what is known of everybody who answered in a stream, by name."""
    chosen = sa.select(annotators).where(annotators.c.stream_id == stream_id)
    return connection.execute(chosen.order_by(annotators.c.by, annotators.c.by_id)).all()


def count(connection: Connection, stream_id: int, by_id: str, by: str, more: Mapping[str, float]) -> None:
    """Add to what is known of a person."""
    told = {"stream": stream_id, "who": by_id, **{f"more_{name}": value for name, value in more.items()}}
    if connection.execute(_counting(tuple(more)), told).rowcount == 0:
        values = dict.fromkeys(_COUNTS, 0) | dict(more)
        connection.execute(annotators.insert().values(stream_id=stream_id, by_id=by_id, by=by, **values))


@lru_cache(maxsize=64)
def _counting(names: tuple[str, ...]) -> sa.Update:
    here = (annotators.c.stream_id == sa.bindparam("stream"), annotators.c.by_id == sa.bindparam("who"))
    columns = {name: annotators.c[name] for name in names}
    grown = {name: column + sa.bindparam(f"more_{name}", type_=column.type) for name, column in columns.items()}
    return annotators.update().where(*here).values(grown)


def newest_durations(connection: Connection, stream_id: int, by_id: str, limit: int) -> Sequence[int]:
    """Return how long the newest answers of a person took, in milliseconds."""
    mine = (answers.c.stream_id == stream_id, answers.c.by_id == by_id, answers.c.duration_ms.is_not(None))
    chosen = sa.select(answers.c.duration_ms).where(*mine).order_by(answers.c.at.desc()).limit(limit)
    return connection.execute(chosen).scalars().all()


def skipped(connection: Connection, stream_id: int) -> dict[str, int]:
    """Return how many queries each person has skipped."""
    chosen = (
        sa.select(skips.c.by, sa.func.count().label("skips"))
        .join(queries, queries.c.id == skips.c.query_id)
        .where(queries.c.stream_id == stream_id)
        .group_by(skips.c.by)
    )
    return {row.by: row.skips for row in connection.execute(chosen)}


def newest_shared(connection: Connection, stream_id: int, limit: int) -> list[list[str]]:
    """Return what was answered to each of the newest samples that several people were asked."""
    some = (
        sa.select(queries.c.sample_n)
        .where(queries.c.stream_id == stream_id, queries.c.seats > 1, queries.c.seat == 0)
        .order_by(queries.c.sample_n.desc())
        .limit(limit)
    )
    chosen = sa.select(answers.c.sample_n, answers.c.label).where(
        answers.c.sample_n.in_(some), answers.c.retracted_at.is_(None)
    )
    found: dict[int, list[str]] = {}
    for row in connection.execute(chosen):
        found.setdefault(row.sample_n, []).append(row.label)
    return list(found.values())
