"""What accuracy is computed from: samples and standing labels, counted by the propensity of their samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from learner.watching.per_class import Outcome
from learner.watching.strata import (
    CAME_WITH_TRUTH,
    EDGES,
    NEVER_ASKED,
    YOUNGEST,
    Labelled,
    Population,
    age_of,
    stratum_of,
)
from service.storage.tables import AnyRow, labels, samples, strata

GOLD = "gold"
"""The source of labels that were known beforehand: they say how people answer, not how the model does."""


_Cell = tuple[int, int]


def count(connection: Connection, stream_id: int, decided: Iterable[tuple[float | None, bool, int]]) -> None:
    """Count new samples that were predicted.

    By propensity (None where the truth came with one), whether asked, and the version of the model that predicted.
    """
    found, asked, least = Counter[_Cell](), Counter[_Cell](), dict[_Cell, float]()
    for propensity, was_asked, version in decided:
        cell, p = (stratum_of(propensity), age_of(version)), 1.0 if propensity is None else propensity
        found[cell] += 1
        asked[cell] += was_asked
        least[cell] = min(p, least.get(cell, 1.0))
    for cell, samples_more in found.items():
        stratum, age = cell
        here = (strata.c.stream_id == stream_id, strata.c.stratum == stratum, strata.c.age == age)
        p = least[cell]
        grown = strata.update().where(*here)
        more = grown.values(
            samples=strata.c.samples + samples_more,
            asked=strata.c.asked + asked[cell],
            least=sa.case((strata.c.least > p, p), else_=strata.c.least),
        )
        if connection.execute(more).rowcount == 0:
            values = {"stream_id": stream_id, "stratum": stratum, "age": age, "samples": samples_more}
            connection.execute(strata.insert().values(**values, asked=asked[cell], least=p))


def population(connection: Connection, stream_id: int) -> list[Population]:
    """Return all samples of a stream by stratum and age."""
    chosen = sa.select(strata.c.stratum, strata.c.samples, strata.c.asked, strata.c.least, strata.c.age)
    return [Population(*row) for row in connection.execute(chosen.where(strata.c.stream_id == stream_id))]


def newest(connection: Connection, stream_id: int, size: int) -> tuple[list[Population], int]:
    """Return the newest `size` samples by stratum and age, and the number of the first of them."""
    told = (samples.c.propensity, samples.c.asked, samples.c.model_version, samples.c.predictive_entropy)
    columns = (samples.c.n, *told)
    chosen = sa.select(*columns).where(samples.c.stream_id == stream_id).order_by(samples.c.n.desc()).limit(size)
    window = chosen.subquery()
    rows = connection.execute(_by_stratum(window).add_columns(sa.func.min(window.c.n).label("first"))).all()
    return [_population(row) for row in rows], min((row.first for row in rows), default=0)


def population_per_step(
    connection: Connection, stream_id: int, start: int, end: int, step: int
) -> dict[int, list[Population]]:
    """Return the samples by the time step in which they came, stratum and age."""
    bucket = ((samples.c.at - start) // step).label("bucket")
    chosen = _by_stratum(samples).add_columns(bucket).group_by(bucket)
    inside = chosen.where(samples.c.stream_id == stream_id, samples.c.at >= start, samples.c.at < end)
    found: dict[int, list[Population]] = {}
    for row in connection.execute(inside):
        found.setdefault(int(row.bucket), []).append(_population(row))
    return found


def labelled(connection: Connection, stream_id: int, since_sample: int | None = None) -> list[Outcome]:
    """Return the standing labels of samples from a number on."""
    chosen = _labelled(labels.c.correct, labels.c.predicted, labels.c.label).where(labels.c.stream_id == stream_id)
    if since_sample is not None:
        chosen = chosen.where(labels.c.sample_n >= since_sample)
    rows = connection.execute(chosen)
    return [Outcome(_alike(row), row.predicted, row.label) for row in rows]


def labelled_per_step(
    connection: Connection, stream_id: int, start: int, end: int, step: int
) -> dict[int, list[Labelled]]:
    """Return the standing labels by the time step in which they came, stratum and age."""
    bucket = ((labels.c.at - start) // step).label("bucket")
    chosen = _labelled(labels.c.correct, bucket)
    inside = chosen.where(labels.c.stream_id == stream_id, labels.c.at >= start, labels.c.at < end)
    found: dict[int, list[Labelled]] = {}
    for row in connection.execute(inside):
        found.setdefault(int(row.bucket), []).append(_alike(row))
    return found


def _stratum(propensity: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """`stratum_of`, for the database to compute."""
    special = ((propensity.is_(None), CAME_WITH_TRUTH), (propensity <= 0.0, NEVER_ASKED))
    return sa.case(*special, *((propensity >= edge, index) for index, edge in enumerate(EDGES)), else_=len(EDGES))


def _age(version: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """`age_of`, for the database to compute, by halves as it does; 0 where no version is known."""

    def between(youngest: int, oldest: int) -> sa.ColumnElement[Any]:
        if youngest == oldest:
            return sa.literal(youngest)
        middle = (youngest + oldest + 1) // 2
        return sa.case((version >= YOUNGEST[middle - 1], between(middle, oldest)), else_=between(youngest, middle - 1))

    return between(0, len(YOUNGEST))


def _by_stratum(of: sa.FromClause) -> sa.Select[Any]:
    stratum, age = _stratum(of.c.propensity).label("stratum"), _age(of.c.model_version).label("age")
    columns = (
        stratum,
        age,
        sa.func.count().label("samples"),
        sa.func.sum(sa.case((of.c.asked, 1), else_=0)).label("asked"),
        sa.func.min(sa.func.coalesce(of.c.propensity, 1.0)).label("least"),
    )
    return sa.select(*columns).where(of.c.predictive_entropy.is_not(None)).group_by(stratum, age)


def _labelled(*by: sa.ColumnElement[Any]) -> sa.Select[Any]:
    stratum, count_of = _stratum(labels.c.propensity).label("stratum"), sa.func.count().label("labels")
    age = _age(labels.c.model_version).label("age")
    weight = sa.func.sum(1.0 / sa.func.nullif(labels.c.propensity, 0.0)).label("weight")
    standing = (labels.c.retracted_at.is_(None), labels.c.correct.is_not(None), labels.c.source != GOLD)
    return (
        sa.select(stratum, age, labels.c.asked, count_of, weight, *by)
        .where(*standing)
        .group_by(stratum, age, labels.c.asked, *by)
    )


def _population(row: AnyRow) -> Population:
    return Population(row.stratum, row.samples, row.asked, row.least, row.age)


def _alike(row: AnyRow) -> Labelled:
    p = 1.0 if row.stratum == CAME_WITH_TRUTH else 0.0 if row.weight is None else row.labels / row.weight
    return Labelled(row.stratum, p, bool(row.asked), bool(row.correct), row.labels, row.age)
