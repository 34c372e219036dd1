"""Gold: samples whose label an operator knows, asked now and then to learn how reliable each annotator is."""

from __future__ import annotations

from typing import Any, NamedTuple

import anyio.to_thread
from sqlalchemy import Connection

from service.clock import iso
from service.core import streams
from service.core.access import Principal
from service.core.errors import ConflictError, Fault, NotFoundError, UnacceptableError
from service.core.idempotency import Answer, RequestKey, once
from service.core.identity import new_id
from service.core.inputs import parse
from service.core.labels.labeling import with_class
from service.core.models.scoring import prediction_body, uncertainty_body
from service.core.parts import Parts
from service.core.specs import as_input
from service.storage import gold, samples

Row = dict[str, Any]


class Known(NamedTuple):
    """A sample and its label: one that came before, by its id, or another by its data."""

    sample_id: str | None
    data: Any
    display: dict[str, Any] | None
    label: str


async def mark(parts: Parts, who: Principal, name: str, known: Known, key: RequestKey | None) -> Answer:
    """Mark a sample as gold; the same one again with the same label changes nothing.

    Raises:
        NotFoundError: where there is no such stream or sample.
        ConflictError: where the sample is gold with another label, or its payload was purged.
        UnacceptableError: where not just one of sample and data is given, the data is not as the stream's input has
            it, or the label is not a class and may not become one.
    """
    if (known.sample_id is None) == (known.data is None):
        said = "give just one of sample_id and data"
        raise UnacceptableError(said, faults=[Fault("/sample_id", said)])
    shown = None if known.data is None else await anyio.to_thread.run_sync(_predicted, parts, name, known)

    def work(connection: Connection) -> Answer:
        stream = streams.find_locked(connection, name)
        with_class(parts, stream, stream.classes, known.label)
        values = shown or _of_sample(connection, stream.id, name, str(known.sample_id))
        before = gold.of_sample(connection, stream.id, values["sample_id"])
        if before is not None:
            if before.label != known.label:
                raise ConflictError(f"this sample is gold with the label '{before.label}'; remove that first")
            return Answer(201, _body(before), stream.id)
        values |= {"id": new_id("g", parts.clock), "label": known.label, "by": who.name, "at": parts.clock.now()}
        gold.insert(connection, stream_id=stream.id, **values)
        made = gold.one(connection, stream.id, values["id"])
        return Answer(201, _body(made), stream.id)

    return await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))


def page(connection: Connection, name: str, after: str, limit: int) -> tuple[list[Row], str | None]:
    """Return a page of gold, each with how often it was answered and how often rightly."""
    stream = streams.find(connection, name)
    rows = gold.page(connection, stream.id, after, limit + 1)
    items = [_body(row) | {"answers": row.answers, "right": row.right} for row in rows[:limit]]
    return items, (rows[limit - 1].id if len(rows) > limit else None)


async def remove(parts: Parts, name: str, gold_id: str) -> None:
    """Ask nobody of a sample any more; what was answered of it stays, and so does what it said of people.

    Raises:
        NotFoundError: where there is no such stream or gold.
    """

    def work(connection: Connection) -> None:
        stream = streams.find_locked(connection, name)
        row = gold.one(connection, stream.id, gold_id)
        if row is None:
            raise NotFoundError(f"the stream '{name}' has no gold '{gold_id}'")
        if row.removed_at is None:
            gold.remove(connection, gold_id, parts.clock.now())

    await parts.db.write(work)


def answered(connection: Connection, name: str, after: str, limit: int) -> tuple[list[Row], str | None]:
    """Return a page of gold's answers, each like a label; none of them is in the log."""
    stream = streams.find(connection, name)
    rows = gold.answered(connection, stream.id, after, limit + 1)
    return [_answer(row) for row in rows[:limit]], (rows[limit - 1].id if len(rows) > limit else None)


def _answer(row: Any) -> Row:
    return {
        "label_id": row.label_id,
        "sample_id": row.sample_id,
        "label": row.label,
        "seq": None,
        "source": "gold",
        "by": row.by,
        "at": iso(row.closed_at),
        "retracted": False,
        "right": row.right,
    }


def _predicted(parts: Parts, name: str, known: Known) -> Row:
    """Return what is shown of data that did not come as a sample, by the model of this moment."""
    stream = parts.db.read_now(lambda c: streams.find(c, name))
    x = parse(known.data, as_input(stream.input), max_pixels=parts.settings.max_image_pixels)
    said = parts.models.scorer(stream).predict(x)
    seen = {"prediction": prediction_body(said), "uncertainty": uncertainty_body(said)}
    return {"sample_id": new_id("s", parts.clock), "data": known.data, "display": known.display, **seen}


def _of_sample(connection: Connection, stream_id: int, name: str, sample_id: str) -> Row:
    row = samples.one(connection, stream_id, sample_id)
    if row is None:
        raise NotFoundError(f"the stream '{name}' has no sample '{sample_id}'")
    if row.purged_at is not None:
        raise ConflictError("the payload of this sample was purged after its life time; nothing is left to show")
    return {"sample_id": row.id} | {
        field: getattr(row, field) for field in ("data", "display", "prediction", "uncertainty")
    }


def _body(row: Any) -> Row:
    return {"id": row.id, "sample_id": row.sample_id, "label": row.label, "by": row.by, "at": iso(row.at)}
