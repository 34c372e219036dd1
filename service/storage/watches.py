"""How far the watch over a stream has come, and what it looks at next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import AnyRow, labels, samples, watches


def one(connection: Connection, stream_id: int) -> AnyRow | None:
    """Return where the watch over a stream stands: `sample_n`, `seq`, `state`, `alarms`."""
    return connection.execute(sa.select(watches).where(watches.c.stream_id == stream_id)).one_or_none()


def alarms(connection: Connection, stream_id: int) -> list[dict[str, Any]]:
    """Return the newest alarms, oldest first."""
    found = connection.execute(sa.select(watches.c.alarms).where(watches.c.stream_id == stream_id)).scalar_one_or_none()
    return found or []


def store(connection: Connection, stream_id: int, values: Mapping[str, Any]) -> None:
    """Set where the watch over a stream stands."""
    changed = watches.update().where(watches.c.stream_id == stream_id).values(**values)
    if connection.execute(changed).rowcount == 0:
        connection.execute(watches.insert().values(stream_id=stream_id, **values))


def samples_after(connection: Connection, stream_id: int, n: int, limit: int) -> Sequence[AnyRow]:
    """Return the next samples, in order: `n`, `at`, `model_version`; `predicted` and `novelty` null if unsaid."""
    predicted, novelty = samples.c.prediction["label"].as_string(), samples.c.uncertainty["novelty"].as_float()
    chosen = (
        sa.select(
            samples.c.n, samples.c.at, samples.c.model_version, predicted.label("predicted"), novelty.label("novelty")
        )
        .where(samples.c.stream_id == stream_id, samples.c.n > n)
        .order_by(samples.c.n)
        .limit(limit)
    )
    return connection.execute(chosen).all()


def labels_after(connection: Connection, stream_id: int, seq: int, limit: int) -> Sequence[AnyRow]:
    """Return the next labels, in order: `seq`, `at`, whether the prediction was `correct`, and its `confidence`."""
    confidence = samples.c.prediction["confidence"].as_float()
    chosen = (
        sa.select(labels.c.seq, labels.c.at, labels.c.correct, confidence.label("confidence"))
        .join(samples, samples.c.n == labels.c.sample_n)
        .where(labels.c.stream_id == stream_id, labels.c.seq > seq)
        .order_by(labels.c.seq)
        .limit(limit)
    )
    return connection.execute(chosen).all()
