"""Streams and their ledgers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from service.storage.tables import ledgers, streams


@dataclass(frozen=True, slots=True)
class Stream:
    """One row: what the stream is and how far its log has grown."""

    id: int
    name: str
    input: dict[str, Any]
    initial_classes: list[str]
    classes: list[str]
    open_classes: bool
    learner: dict[str, Any]
    query: dict[str, Any]
    guidelines: str
    colours: dict[str, str]
    created_at: int
    log_seq: int
    applied_seq: int
    retention: dict[str, Any] | None
    horizon_seq: int
    ranked_seq: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """One row: what the stream has seen and asked, where its spending stands, and how often that was written."""

    samples: int
    labels: int
    asked: int
    open: int
    answered: int
    skipped: int
    withdrawn: int
    expired: int
    standing: dict[str, Any] | None
    turn: int
    exploring_until: int


def _number(connection: Connection, values: dict[str, Any]) -> dict[str, int]:
    """Return the new stream's `id` where the database would give a removed stream's id again.

    Workers and models know a stream by its id, so it must stay one stream's own. PostgreSQL counts on; SQLite takes the
    largest id there is, plus one: there the moment of creation is the id.
    """
    if connection.dialect.name != "sqlite":
        return {}
    largest = connection.scalar(sa.select(sa.func.max(streams.c.id))) or 0
    return {"id": max(values["created_at"], largest + 1)}


def insert(connection: Connection, **values: Any) -> Stream | None:
    """Add a stream with an empty ledger; None where its name is taken."""
    try:
        with connection.begin_nested():  # only the unique key knows of names that others are just taking
            added = streams.insert().values(**_number(connection, values), **values, log_seq=0, applied_seq=0)
            row = connection.execute(added.returning(streams)).one()
    except IntegrityError:
        return None
    empty = dict.fromkeys(("samples", "labels", "asked", "open", "answered", "skipped", "turn"), 0)
    connection.execute(ledgers.insert().values(stream_id=row.id, **empty))
    return Stream(*row)


# Statements that nearly every request runs are made once: making one takes longer than running it.
_BY_NAME = sa.select(streams).where(streams.c.name == sa.bindparam("name"))
_BY_ID = sa.select(streams).where(streams.c.id == sa.bindparam("id"))
_NEXT_SEQ = (
    streams.update()
    .where(streams.c.id == sa.bindparam("stream"))
    .values(log_seq=streams.c.log_seq + 1)
    .returning(streams.c.log_seq)
)
_LEDGER = sa.select(*(column for column in ledgers.c if column.name != "stream_id")).where(
    ledgers.c.stream_id == sa.bindparam("stream_id")
)
_LOCK = _BY_ID.with_for_update(key_share=True)
_EVERY = sa.select(streams).order_by(streams.c.id)


def by_name(connection: Connection, name: str) -> Stream | None:
    """Return the stream of that name."""
    row = connection.execute(_BY_NAME, {"name": name}).one_or_none()
    return None if row is None else Stream(*row)


def by_id(connection: Connection, stream_id: int) -> Stream | None:
    """Return the stream of that id."""
    row = connection.execute(_BY_ID, {"id": stream_id}).one_or_none()
    return None if row is None else Stream(*row)


def lock(connection: Connection, stream_id: int) -> Stream | None:
    """Return the stream and keep other transactions from changing it, its ledger, log and queue.

    Whoever changes more than one row of a stream takes this first, so that no two ever wait for each other. Rows that
    only point to the stream may still be added (`key_share`).
    """
    row = connection.execute(_LOCK, {"id": stream_id}).one_or_none()
    return None if row is None else Stream(*row)


def may_have_waited(connection: Connection) -> bool:
    """Return whether others may have written since this transaction began, before its lock; not so on SQLite."""
    return connection.dialect.name != "sqlite"


def page(connection: Connection, after: str, limit: int) -> Sequence[Stream]:
    """Return streams by name."""
    rows = connection.execute(sa.select(streams).where(streams.c.name > after).order_by(streams.c.name).limit(limit))
    return [Stream(*row) for row in rows]


def every(connection: Connection) -> Sequence[Stream]:
    """Return all streams."""
    return [Stream(*row) for row in connection.execute(_EVERY)]


def count(connection: Connection) -> int:
    """Return how many streams there are."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(streams)).scalar_one())


def update(connection: Connection, stream_id: int, **values: Any) -> None:
    """Change a stream's columns."""
    connection.execute(_changing(tuple(values)), values | {"stream": stream_id})


@lru_cache(maxsize=64)
def _changing(names: tuple[str, ...]) -> sa.Update:
    changed = {name: sa.bindparam(name, type_=streams.c[name].type) for name in names}
    return streams.update().where(streams.c.id == sa.bindparam("stream")).values(changed)


def ranked(connection: Connection, stream_id: int, version: int) -> None:
    """Note that every open query was ranked by a model of that version or a newer one, unless one is noted already."""
    older = (streams.c.id == stream_id, streams.c.ranked_seq < version)
    connection.execute(streams.update().where(*older).values(ranked_seq=version))


def delete(connection: Connection, stream_id: int) -> None:
    """Remove a stream and, by the foreign keys, all that belongs to it."""
    connection.execute(streams.delete().where(streams.c.id == stream_id))


def next_seq(connection: Connection, stream_id: int) -> int:
    """Count the log up by one and return the new number."""
    return int(connection.execute(_NEXT_SEQ, {"stream": stream_id}).scalar_one())


def ledger(connection: Connection, stream_id: int) -> Ledger:
    """Return a stream's ledger."""
    return Ledger(*connection.execute(_LEDGER, {"stream_id": stream_id}).one())


def ledgers_of(connection: Connection, stream_ids: Sequence[int]) -> dict[int, Ledger]:
    """Return the ledgers of several streams."""
    rows = connection.execute(sa.select(ledgers).where(ledgers.c.stream_id.in_(stream_ids))).mappings()
    return {row["stream_id"]: Ledger(**{k: v for k, v in row.items() if k != "stream_id"}) for row in rows}


def book(connection: Connection, stream_id: int, **more: int) -> None:
    """Add `more` to the ledger's counts."""
    names = tuple(name for name, count in more.items() if count)
    if names:
        connection.execute(_booking(names), {"stream": stream_id, **{f"more_{name}": more[name] for name in names}})


@lru_cache(maxsize=64)
def _booking(names: tuple[str, ...]) -> sa.Update:
    grown = {name: ledgers.c[name] + sa.bindparam(f"more_{name}", type_=sa.BigInteger) for name in names}
    return ledgers.update().where(ledgers.c.stream_id == sa.bindparam("stream")).values(grown)


def spend(connection: Connection, stream_id: int, *, turn: int, standing: dict[str, Any], **more: int) -> bool:
    """Write where spending stands, and add `more` to the counts, if nobody else has since `turn`; return whether so.

    What was decided from the ledger of that turn keeps the budget's bound; where the ledger has moved on, nothing is
    written, and it has to be decided again.
    """
    unmoved = (ledgers.c.stream_id == stream_id, ledgers.c.turn == turn)
    values = {"standing": standing, "turn": turn + 1, **_more(more)}
    return connection.execute(ledgers.update().where(*unmoved).values(**values)).rowcount > 0


def explore_more(connection: Connection, stream_id: int, samples: int) -> None:
    """Mark that more of the next so many samples are to be asked at random."""
    marked = ledgers.update().where(ledgers.c.stream_id == stream_id)
    connection.execute(marked.values(exploring_until=ledgers.c.samples + samples))


def _more(counts: dict[str, int]) -> dict[str, Any]:
    return {name: ledgers.c[name] + count for name, count in counts.items() if count}
