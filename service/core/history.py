"""Looking back: a sample, the labels, the snapshots."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from service.clock import iso
from service.core import streams
from service.core.errors import NotFoundError
from service.core.ingestion import answer_of
from service.core.inputs import from_bytes
from service.core.parts import Parts
from service.core.scoring import prediction_body, uncertainty_body
from service.core.specs import as_input
from service.storage import log, samples, snapshots

Row = dict[str, Any]


def sample(connection: Connection, parts: Parts, name: str, sample_id: str, *, at_now: bool) -> dict[str, Any]:
    """Return a sample with prediction at arrival, query and label; with `at_now`, also what the model says today.

    Raises:
        NotFoundError: where there is no such sample.
    """
    stream = streams.find(connection, name)
    row = samples.one(connection, stream.id, sample_id)
    if row is None:
        raise NotFoundError(f"the stream '{name}' has no sample '{sample_id}'")
    found = answer_of(row)
    if row.query_id is not None:
        found["query"] |= {"state": row.query_state}
    label = log.label_of_sample(connection, row.n)
    found |= {"data": row.data, "display": row.display, "at": iso(row.at)}
    found["label"] = None if label is None else _label(label, sample_id)
    if at_now:
        scorer = parts.models.scorer(stream)
        said = scorer.predict(from_bytes(row.features, as_input(stream.input)))
        found["now"] = {
            "prediction": prediction_body(said),
            "uncertainty": uncertainty_body(said),
            "model_version": scorer.seq,
        }
    return found


def labels(connection: Connection, name: str, after: int, limit: int) -> tuple[list[Row], int | None]:
    """Return a page of labels in order of `seq`, and where the next page begins."""
    stream = streams.find(connection, name)
    rows = log.label_page(connection, stream.id, after, limit + 1)
    items = [_label(row, row.sample_id) for row in rows[:limit]]
    return items, (rows[limit - 1].seq if len(rows) > limit else None)


def snapshot_list(connection: Connection, name: str) -> list[Row]:
    """Return the snapshots, newest first."""
    stream = streams.find(connection, name)
    rows = snapshots.newest_first(connection, stream.id)
    return [{"seq": row.seq, "hash": row.hash, "at": iso(row.at)} for row in rows]


def _label(row: Any, sample_id: str) -> Row:
    return {
        "label_id": row.id,
        "sample_id": sample_id,
        "label": row.label,
        "seq": row.seq,
        "source": row.source,
        "by": row.by,
        "at": iso(row.at),
        "retracted": row.retracted_at is not None,
    }
