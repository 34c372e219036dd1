"""The label log, the labels that people see, and what each update did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage import streams
from service.storage.tables import AnyRow, labels, log, samples, updates

LABEL, CLASS, RETRACTION = "label", "class", "retraction"


def append(
    connection: Connection,
    stream_id: int,
    kind: str,
    now: int,
    *,
    label: str | None = None,
    features: bytes | None = None,
    target_seq: int | None = None,
) -> int:
    """Add an entry under the stream's next number, and return it."""
    seq = streams.next_seq(connection, stream_id)
    connection.execute(
        log.insert().values(
            stream_id=stream_id, seq=seq, kind=kind, label=label, features=features, target_seq=target_seq, at=now
        )
    )
    return seq


def entries(
    connection: Connection, stream_id: int, after: int, limit: int, until: int | None = None
) -> Sequence[AnyRow]:
    """Return entries in order of `seq`."""
    chosen = sa.select(log).where(log.c.stream_id == stream_id, log.c.seq > after).order_by(log.c.seq).limit(limit)
    return connection.execute(chosen if until is None else chosen.where(log.c.seq <= until)).all()


def retracted(connection: Connection, stream_id: int, until: int) -> dict[int, int]:
    """Return the label entries taken back up to the entry `until`, each with the entry that did."""
    chosen = sa.select(log.c.target_seq, log.c.seq).where(
        log.c.stream_id == stream_id, log.c.kind == RETRACTION, log.c.seq <= until
    )
    return {int(row.target_seq): int(row.seq) for row in connection.execute(chosen)}


def add_label(connection: Connection, values: Mapping[str, Any]) -> None:
    """Add the label that an entry stands for."""
    connection.execute(labels.insert().values(**values))


def label(connection: Connection, label_id: str) -> AnyRow | None:
    """Return a label."""
    return connection.execute(sa.select(labels).where(labels.c.id == label_id)).one_or_none()


def label_of_sample(connection: Connection, sample_n: int) -> AnyRow | None:
    """Return the standing label of a sample."""
    return connection.execute(
        sa.select(labels).where(labels.c.sample_n == sample_n, labels.c.retracted_at.is_(None))
    ).first()


def label_of_query(connection: Connection, query_id: str) -> AnyRow | None:
    """Return the standing label that answered a query."""
    return connection.execute(
        sa.select(labels).where(labels.c.query_id == query_id, labels.c.retracted_at.is_(None))
    ).first()


def mark_retracted(connection: Connection, label_id: str, now: int) -> None:
    """Note that a label was taken back."""
    connection.execute(labels.update().where(labels.c.id == label_id).values(retracted_at=now))


def class_stands(connection: Connection, stream_id: int, name: str) -> bool:
    """Return whether an operator added this class, or a standing label names it."""
    added = sa.exists().where(log.c.stream_id == stream_id, log.c.kind == CLASS, log.c.label == name)
    used = sa.exists().where(labels.c.stream_id == stream_id, labels.c.label == name, labels.c.retracted_at.is_(None))
    return bool(connection.execute(sa.select(added | used)).scalar_one())


def label_page(connection: Connection, stream_id: int, after: int, limit: int) -> Sequence[AnyRow]:
    """Return labels in order of `seq`, with their samples' ids."""
    chosen = (
        sa.select(labels, samples.c.id.label("sample_id"))
        .join(samples, samples.c.n == labels.c.sample_n)
        .where(labels.c.stream_id == stream_id, labels.c.seq > after)
        .order_by(labels.c.seq)
        .limit(limit)
    )
    return connection.execute(chosen).all()


def scored(connection: Connection, stream_id: int, since_sample: int = 0) -> AnyRow:
    """Return the weighted sums that an accuracy estimate needs, over standing labels of samples from a number on."""
    chosen = sa.select(*_weighted()).where(
        labels.c.stream_id == stream_id, labels.c.sample_n >= since_sample, *_countable()
    )
    return connection.execute(chosen).one()


def scored_per_step(connection: Connection, stream_id: int, start: int, end: int, step: int) -> Sequence[AnyRow]:
    """Return the same sums by the time step in which a label came."""
    bucket = ((labels.c.at - start) // step).label("bucket")
    chosen = (
        sa.select(bucket, *_weighted())
        .where(labels.c.stream_id == stream_id, labels.c.at >= start, labels.c.at < end, *_countable())
        .group_by(bucket)
        .order_by(bucket)
    )
    return connection.execute(chosen).all()


def labels_per_step(connection: Connection, stream_id: int, start: int, end: int, step: int) -> Sequence[AnyRow]:
    """Return how many standing labels came in each time step."""
    bucket = ((labels.c.at - start) // step).label("bucket")
    chosen = (
        sa.select(bucket, sa.func.count().label("labels"))
        .where(
            labels.c.stream_id == stream_id,
            labels.c.at >= start,
            labels.c.at < end,
            labels.c.retracted_at.is_(None),
        )
        .group_by(bucket)
        .order_by(bucket)
    )
    return connection.execute(chosen).all()


def span(connection: Connection, stream_id: int) -> tuple[int, int] | None:
    """Return when the first and the last label came."""
    row = connection.execute(
        sa.select(sa.func.min(labels.c.at), sa.func.max(labels.c.at)).where(labels.c.stream_id == stream_id)
    ).one()
    return None if row[0] is None else (int(row[0]), int(row[1]))


def oldest_unapplied(connection: Connection, stream_id: int, applied: int) -> int | None:
    """Return when the oldest entry came that the worker has not applied."""
    return connection.execute(
        sa.select(sa.func.min(log.c.at)).where(log.c.stream_id == stream_id, log.c.seq > applied)
    ).scalar_one_or_none()


def add_updates(connection: Connection, stream_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what updates did; a replay of the same entries changes nothing."""
    if not rows:
        return
    seqs = [row["seq"] for row in rows]
    there = sa.select(updates.c.seq).where(updates.c.stream_id == stream_id, updates.c.seq.between(seqs[0], seqs[-1]))
    known = set(connection.execute(there).scalars())
    new = [row for row in rows if row["seq"] not in known]
    if new:
        connection.execute(updates.insert(), new)


def mean_step(connection: Connection, stream_id: int, count: int) -> float | None:
    """Return the mean step size of the newest updates."""
    newest = (
        sa.select(updates.c.mean_step)
        .where(updates.c.stream_id == stream_id)
        .order_by(updates.c.seq.desc())
        .limit(count)
        .subquery()
    )
    return connection.execute(sa.select(sa.func.avg(newest.c.mean_step))).scalar_one_or_none()


def lag_per_step(connection: Connection, stream_id: int, start: int, end: int, step: int) -> Sequence[AnyRow]:
    """Return the mean microseconds between a label and its update, by time step."""
    bucket = ((updates.c.at - start) // step).label("bucket")
    chosen = (
        sa.select(bucket, sa.func.avg(updates.c.lag).label("lag"), sa.func.count().label("updates"))
        .where(updates.c.stream_id == stream_id, updates.c.at >= start, updates.c.at < end)
        .group_by(bucket)
        .order_by(bucket)
    )
    return connection.execute(chosen).all()


def _weighted() -> tuple[sa.ColumnElement[Any], ...]:
    weight = labels.c.weight
    return (
        sa.func.count().label("labels"),
        sa.func.sum(weight).label("weight"),
        sa.func.sum(weight * weight).label("weight_squared"),
        sa.func.sum(sa.case((labels.c.correct, weight), else_=0.0)).label("correct"),
    )


def _countable() -> tuple[sa.ColumnElement[bool], ...]:
    return (labels.c.retracted_at.is_(None), labels.c.correct.is_not(None))
