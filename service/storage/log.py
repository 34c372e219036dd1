"""The label log, the labels that people see, and what each update did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from service.storage import chain, streams
from service.storage.tables import AnyRow, labels, log, samples, updates

LABEL, CLASS, POLICY = "label", "class", "policy"
RETRACTION, CORRECTION, ROLLBACK = "retraction", "correction", "rollback"

_REVISIONS = (RETRACTION, CORRECTION, ROLLBACK)


def append(
    connection: Connection,
    stream_id: int,
    kind: str,
    now: int,
    *,
    label: str | None = None,
    features: bytes | None = None,
    target_seq: int | None = None,
    detail: dict[str, Any] | None = None,
    due_at: int | None = None,
) -> int:
    """Add an entry under the stream's next number, chained to the one before, and return the number."""
    seq = streams.next_seq(connection, stream_id)
    said: dict[str, Any] = {
        "seq": seq,
        "kind": kind,
        "label": label,
        "features": features,
        "target_seq": target_seq,
        "at": now,
    }
    hashed = chain.link(hash_of(connection, stream_id, seq - 1), **said, detail=detail)
    row = {**said, "stream_id": stream_id, "detail": detail, "due_at": due_at, "hash": hashed}
    connection.execute(_ADD, row)
    return seq


def hash_of(connection: Connection, stream_id: int, seq: int) -> str:
    """Return an entry's hash, the empty text before the first."""
    return connection.execute(_HASH, {"stream_id": stream_id, "seq": seq}).scalar_one_or_none() or ""


# Statements that run for every label are made once: making one takes longer than running it.
_ADD = log.insert()
_HASH = sa.select(log.c.hash).where(log.c.stream_id == sa.bindparam("stream_id"), log.c.seq == sa.bindparam("seq"))
_AFTER = (log.c.stream_id == sa.bindparam("stream_id"), log.c.seq > sa.bindparam("after"))
_ENTRIES = (
    sa.select(log).where(*_AFTER, log.c.seq <= sa.bindparam("until")).order_by(log.c.seq).limit(sa.bindparam("most"))
)
_REVISED = (
    sa.select(log.c.seq, log.c.kind, log.c.target_seq, log.c.label)
    .where(*_AFTER, log.c.seq <= sa.bindparam("until"), log.c.kind.in_(_REVISIONS))
    .order_by(log.c.seq)
)
_FIRST_WAITING = sa.select(sa.func.min(log.c.seq)).where(*_AFTER, log.c.due_at > sa.bindparam("now"))
_FAR = 2**62


def entries(
    connection: Connection, stream_id: int, after: int, limit: int, until: int | None = None
) -> Sequence[AnyRow]:
    """Return entries in order of `seq`."""
    told = {"stream_id": stream_id, "after": after, "most": limit, "until": _FAR if until is None else until}
    return connection.execute(_ENTRIES, told).all()


def revisions(connection: Connection, stream_id: int, after: int = 0, until: int | None = None) -> Sequence[AnyRow]:
    """Return the retractions, corrections and rollbacks, in order of `seq`: `seq`, `kind`, `target_seq`, `label`."""
    told = {"stream_id": stream_id, "after": after, "until": _FAR if until is None else until}
    return connection.execute(_REVISED, told).all()


def first_waiting(
    connection: Connection, stream_id: int, after: int, now: int, taken_back: Sequence[int]
) -> int | None:
    """Return the first entry whose moment to be learned has not come, leaving out what was taken back meanwhile."""
    chosen = _FIRST_WAITING.where(log.c.seq.not_in(taken_back)) if taken_back else _FIRST_WAITING
    return connection.execute(chosen, {"stream_id": stream_id, "after": after, "now": now}).scalar_one_or_none()


def naming(connection: Connection, stream_id: int) -> Sequence[AnyRow]:
    """Return `seq`, `kind` and `label` of the entries that name a class, in order."""
    chosen = sa.select(log.c.seq, log.c.kind, log.c.label).where(
        log.c.stream_id == stream_id, log.c.kind.in_((LABEL, CLASS))
    )
    return connection.execute(chosen.order_by(log.c.seq)).all()


def newest_before(connection: Connection, stream_id: int, moment: int) -> int:
    """Return the newest entry older than `moment`, 0 where there is none."""
    chosen = sa.select(sa.func.max(log.c.seq)).where(log.c.stream_id == stream_id, log.c.at < moment)
    return int(connection.execute(chosen).scalar_one() or 0)


def drop_features(connection: Connection, stream_id: int, until: int, limit: int) -> int:
    """Forget the features of up to `limit` entries up to `until`; return how many that were."""
    some = (
        sa.select(log.c.seq)
        .where(log.c.stream_id == stream_id, log.c.seq <= until, log.c.features.is_not(None))
        .order_by(log.c.seq)
        .limit(limit)
    )
    chosen = log.update().where(log.c.stream_id == stream_id, log.c.seq.in_(some)).values(features=None)
    return int(connection.execute(chosen).rowcount)


def features_of(connection: Connection, stream_id: int, seq: int) -> bytes | None:
    """Return the features that an entry carries, None where they are gone."""
    chosen = sa.select(log.c.features).where(log.c.stream_id == stream_id, log.c.seq == seq)
    return connection.execute(chosen).scalar_one_or_none()


_ADD_LABEL = labels.insert().values(
    {
        name: sa.select(column).where(samples.c.n == sa.bindparam("of_sample")).scalar_subquery()
        for name, column in {
            "propensity": samples.c.propensity,
            "asked": samples.c.asked,
            "model_version": samples.c.model_version,
            "predicted": samples.c.prediction["label"].as_string(),
        }.items()
    }
)


def add_label(connection: Connection, values: Mapping[str, Any]) -> None:
    """Add the label that an entry stands for, with what its sample was given when it came."""
    connection.execute(_ADD_LABEL, dict(values) | {"of_sample": values["sample_n"]})


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


def mark_corrected(connection: Connection, label_id: str, name: str, *, correct: bool | None, now: int) -> None:
    """Note that a label names another class now."""
    changed = labels.update().where(labels.c.id == label_id)
    connection.execute(changed.values(label=name, correct=correct, corrected_at=now))


def restate(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set what labels say after a rollback: `label_id`, `said`, `right`, `gone_at`, `revised_at` each."""
    if rows:
        changed = labels.update().where(labels.c.id == sa.bindparam("label_id"))
        told = {"label": "said", "correct": "right", "retracted_at": "gone_at", "corrected_at": "revised_at"}
        values: dict[str, Any] = {name: sa.bindparam(of) for name, of in told.items()}
        connection.execute(changed.values(**values), list(rows))


def labels_from(connection: Connection, stream_id: int, first: int) -> Sequence[AnyRow]:
    """Return the labels from the entry `first` on, in order, each with its entry's word and its sample's prediction."""
    chosen = (
        sa.select(labels, log.c.label.label("original"), samples.c.prediction, samples.c.purged_at)
        .join(log, (log.c.stream_id == labels.c.stream_id) & (log.c.seq == labels.c.seq))
        .join(samples, samples.c.n == labels.c.sample_n)
        .where(labels.c.stream_id == stream_id, labels.c.seq >= first)
        .order_by(labels.c.seq)
    )
    return connection.execute(chosen).all()


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


_ADD_UPDATES = {
    "sqlite": sqlite.insert(updates).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(updates).on_conflict_do_nothing(),
}


def add_updates(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what updates did; a replay of the same entries changes nothing."""
    if rows:
        connection.execute(_ADD_UPDATES[connection.dialect.name], list(rows))


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
