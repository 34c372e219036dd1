"""Samples, each with what the model said of it at arrival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import AnyRow, labels, queries, samples

_CHUNK = 500


def known(connection: Connection, stream_id: int, ids: Sequence[str]) -> dict[str, AnyRow]:
    """Return, by id, the samples that are there already, each with its query."""
    found: dict[str, AnyRow] = {}
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        chosen = _with_query().where(samples.c.stream_id == stream_id, samples.c.id.in_(some))
        found |= {row.id: row for row in connection.execute(chosen)}
    return found


def one(connection: Connection, stream_id: int, sample_id: str) -> AnyRow | None:
    """Return one sample with its query and its data."""
    columns = (samples.c.data, samples.c.display, samples.c.features, samples.c.purged_at)
    chosen = _with_query(*columns).where(samples.c.stream_id == stream_id, samples.c.id == sample_id)
    return connection.execute(chosen).one_or_none()


# Every answer asks this: made once, since making it takes several times as long as running it.
_BY_NUMBER = sa.select(samples.c.id, samples.c.features, samples.c.prediction, samples.c.purged_at).where(
    samples.c.n == sa.bindparam("number")
)


def by_number(connection: Connection, n: int) -> AnyRow:
    """Return id, features and prediction of the sample with that number, and when it was purged."""
    return connection.execute(_BY_NUMBER, {"number": n}).one()


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Add samples of one stream; return their numbers by id."""
    added = connection.execute(samples.insert().returning(samples.c.id, samples.c.n), list(rows))
    return {row.id: row.n for row in added}


def kept_before(connection: Connection, stream_id: int, before: int, limit: int) -> Sequence[int]:
    """Return the numbers of up to `limit` samples older than `before` that are not purged, the oldest first."""
    chosen = (
        sa.select(samples.c.n)
        .where(samples.c.stream_id == stream_id, samples.c.at < before, samples.c.purged_at.is_(None))
        .order_by(samples.c.at)
        .limit(limit)
    )
    return connection.execute(chosen).scalars().all()


def purge(connection: Connection, numbers: Sequence[int], now: int) -> None:
    """Forget the data, display and features of samples."""
    if numbers:
        gone = {"data": None, "display": None, "features": b"", "purged_at": now}
        connection.execute(samples.update().where(samples.c.n.in_(numbers)).values(**gone))


def window(connection: Connection, stream_id: int, size: int) -> AnyRow:
    """Return counts and mean uncertainties of the newest `size` samples, and the first of them."""
    newest = (
        sa.select(samples).where(samples.c.stream_id == stream_id).order_by(samples.c.n.desc()).limit(size).subquery()
    )
    return connection.execute(
        sa.select(
            sa.func.count().label("samples"),
            sa.func.min(newest.c.n).label("first"),
            sa.func.sum(sa.case((newest.c.asked, 1), else_=0)).label("asked"),
            sa.func.avg(newest.c.predictive_entropy).label("predictive_entropy"),
            sa.func.avg(newest.c.epistemic).label("epistemic"),
            sa.func.avg(newest.c.variation_ratio).label("variation_ratio"),
        )
    ).one()


def span(connection: Connection, stream_id: int) -> tuple[int, int] | None:
    """Return when the first and the last sample came."""
    row = connection.execute(
        sa.select(sa.func.min(samples.c.at), sa.func.max(samples.c.at)).where(samples.c.stream_id == stream_id)
    ).one()
    return None if row[0] is None else (int(row[0]), int(row[1]))


def per_step(connection: Connection, stream_id: int, start: int, end: int, step: int) -> Sequence[AnyRow]:
    """Return counts and means of samples by time step, in order; `bucket` counts steps from `start`."""
    bucket = ((samples.c.at - start) // step).label("bucket")
    chosen = (
        sa.select(
            bucket,
            sa.func.count().label("samples"),
            sa.func.sum(sa.case((samples.c.asked, 1), else_=0)).label("asked"),
            sa.func.avg(samples.c.predictive_entropy).label("predictive_entropy"),
            sa.func.avg(samples.c.epistemic).label("epistemic"),
            sa.func.avg(samples.c.variation_ratio).label("variation_ratio"),
        )
        .where(samples.c.stream_id == stream_id, samples.c.at >= start, samples.c.at < end)
        .group_by(bucket)
        .order_by(bucket)
    )
    return connection.execute(chosen).all()


def export_page(connection: Connection, stream_id: int, after: int, limit: int) -> Sequence[AnyRow]:
    """Return samples in order of arrival, each with its query and its standing label."""
    standing = labels.alias("standing")
    columns = (samples.c.data, samples.c.display)
    chosen = (
        _with_query(*columns)
        .add_columns(
            standing.c.label, standing.c.by, standing.c.source, standing.c.seq, standing.c.at.label("label_at")
        )
        .outerjoin(standing, (standing.c.sample_n == samples.c.n) & (standing.c.retracted_at.is_(None)))
        .where(samples.c.stream_id == stream_id, samples.c.n > after)
        .order_by(samples.c.n)
        .limit(limit)
    )
    return connection.execute(chosen).all()


def _with_query(*more: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(
        samples.c.n,
        samples.c.id,
        samples.c.prediction,
        samples.c.uncertainty,
        samples.c.model_version,
        samples.c.propensity,
        samples.c.at,
        queries.c.id.label("query_id"),
        queries.c.state.label("query_state"),
        queries.c.reason,
        queries.c.propensity.label("query_propensity"),
        *more,
    ).outerjoin(queries, (queries.c.sample_n == samples.c.n) & (queries.c.seat == 0))
