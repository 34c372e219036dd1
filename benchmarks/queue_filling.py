"""A stream with any number of open queries, made in the database itself: a million by posting would take hours."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from service.core import streams
from service.core.parts import Parts
from service.core.specs import LearnerSpec, QuerySpec, VectorInput
from service.storage import queries as query_rows
from service.storage import samples as sample_rows
from service.storage import streams as stream_rows
from service.storage.tables import queries, samples

DIM = 16
_FIRST = 1000
_PRIME = 7919


@dataclass(frozen=True, slots=True)
class Filled:
    """A stream and how many open queries it has."""

    name: str
    id: int
    open: int


def fill(parts: Parts, name: str, least: int) -> Filled:
    """Make a stream of vectors with at least so many open queries, one in ten of them asked at random."""
    asyncio.run(
        streams.create(
            parts,
            name=name,
            input_spec=VectorInput(kind="vector", dim=DIM),
            classes=["0", "1"],
            open_classes=False,
            learner=LearnerSpec(seed=7, hidden=[32]),
            query=QuerySpec(),
            guidelines="",
            colours={},
            key=None,
        )
    )
    stream = parts.db.read_now(lambda c: streams.find(c, name))
    parts.db.write_now(lambda c: _first(c, stream.id, parts.clock.now()))
    copies = max(0, math.ceil(math.log2(least / _FIRST)))
    for copy in range(copies):
        parts.db.write_now(partial(_double, stream_id=stream.id, copy=copy))
    count = _FIRST * 2**copies
    parts.db.write_now(lambda c: _ask(c, stream.id, count))
    return Filled(name, stream.id, count)


def _first(connection: Connection, stream_id: int, now: int) -> None:
    draw = np.random.default_rng(0)
    rows = [
        {
            "stream_id": stream_id,
            "id": str(n),
            "data": [n],
            "features": draw.standard_normal(DIM).astype(np.float32).tobytes(),
            "model_version": 0,
            "asked": True,
            "propensity": 0.5,
            "at": now,
        }
        for n in range(_FIRST)
    ]
    sample_rows.insert(connection, rows)


def _double(connection: Connection, stream_id: int, copy: int) -> None:
    """Add a sample like each that is there; its id says by which copies it came about."""
    same = ("stream_id", "data", "features", "model_version", "asked", "propensity", "at")
    columns = (samples.c.id + f"-{copy}", *(samples.c[name] for name in same))
    copied = sa.select(*columns).where(samples.c.stream_id == stream_id)
    connection.execute(samples.insert().from_select(["id", *same], copied))


def _ask(connection: Connection, stream_id: int, count: int) -> None:
    """Open a query for each sample."""
    number = samples.c.n * _PRIME
    values = {
        "id": sa.literal("q_") + sa.cast(samples.c.n, sa.Text),
        "stream_id": samples.c.stream_id,
        "sample_n": samples.c.n,
        "state": sa.literal(query_rows.OPEN),
        "reason": sa.case((number % 10 == 0, "exploration"), else_="uncertain"),
        "propensity": samples.c.propensity,
        "utility": sa.cast(number % 1_000_003, sa.Double) / 1_000_003.0,
        "ranked_at": sa.literal(0),
        "lease_until": sa.literal(0),
        "opened_at": samples.c.at + samples.c.n,
    }
    asked = sa.select(*values.values()).where(samples.c.stream_id == stream_id)
    connection.execute(queries.insert().from_select(list(values), asked))
    stream_rows.book(connection, stream_id, samples=count, asked=count, open=count)
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("ANALYZE samples, queries"))
