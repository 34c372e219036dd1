"""Everything in a stream as a file, read page by page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from service.clock import iso
from service.core.parts import Parts
from service.core.samples.ingestion import answer_of
from service.storage import samples
from service.storage.streams import Stream

_PAGE = 500

Row = dict[str, Any]


def rows(parts: Parts, stream: Stream) -> Iterator[Row]:
    """Return all samples in order of arrival, read page by page."""
    after = 0
    while True:
        page = parts.db.read_now(lambda c, after=after: samples.export_page(c, stream.id, after, _PAGE))  # type: ignore[misc]
        for row in page:
            yield _exported(row)
        if len(page) < _PAGE:
            return
        after = page[-1].n


def _exported(row: Any) -> Row:
    found = answer_of(row)
    return {
        "id": row.id,
        "at": iso(row.at),
        "data": row.data,
        "display": row.display,
        "prediction": found["prediction"],
        "uncertainty": found["uncertainty"],
        "model_version": row.model_version,
        "query": found["query"],
        "label": row.label,
        "source": row.source,
        "by": row.by,
        "seq": row.seq,
        "labeled_at": None if row.label_at is None else iso(row.label_at),
    }


def _jsonl(found: Iterator[Row]) -> Iterator[bytes]:
    for row in found:
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _flat(row: Row) -> Row:
    said, query = row["prediction"] or {}, row["query"] or {}
    return {
        "id": row["id"],
        "at": row["at"],
        "data": json.dumps(row["data"], ensure_ascii=False),
        "predicted": said.get("label"),
        "confidence": said.get("confidence"),
        "model_version": row["model_version"],
        "query_id": query.get("id"),
        "reason": query.get("reason"),
        "propensity": query.get("propensity"),
        "label": row["label"],
        "source": row["source"],
        "by": row["by"],
        "seq": row["seq"],
        "labeled_at": row["labeled_at"],
    }


_FLAT = {
    "id": "string",
    "at": "string",
    "data": "string",
    "predicted": "string",
    "confidence": "double",
    "model_version": "int64",
    "query_id": "string",
    "reason": "string",
    "propensity": "double",
    "label": "string",
    "source": "string",
    "by": "string",
    "seq": "int64",
    "labeled_at": "string",
}
"""The columns of a flat table, each with the name that Arrow has for its type."""


def _csv(found: Iterator[Row]) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(_FLAT))
    table.writeheader()
    for row in found:
        table.writerow(_flat(row))
        yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    written = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return written


def _parquet(found: Iterator[Row]) -> Iterator[bytes]:
    import pyarrow as pa  # noqa: PLC0415 - a service starts sooner without what few of its exports need
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in _FLAT.items()])
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema) as table:
        batch: list[Row] = []
        for row in found:
            batch.append(_flat(row))
            if len(batch) == _PAGE:
                table.write_table(pa.Table.from_pylist(batch, schema=schema))
                batch = []
        if batch:
            table.write_table(pa.Table.from_pylist(batch, schema=schema))
    yield sink.getvalue().to_pybytes()


def _label_studio(found: Iterator[Row]) -> Iterator[bytes]:
    """Return tasks as Label Studio imports them, with the label as annotation and the prediction as prediction."""
    separator = b"["
    for row in found:
        yield separator + b"\n" + json.dumps(_task(row), ensure_ascii=False).encode()
        separator = b","
    yield b"\n]\n" if separator == b"," else b"[]\n"


def _task(row: Row) -> Row:
    data = row["data"]
    picture = isinstance(data, dict) and "png" in data
    shown = {"image": f"data:image/png;base64,{data['png']}"} if picture else {"value": data}
    task: Row = {"data": {"id": row["id"], **shown}}
    source = "image" if picture else "value"
    if row["label"] is not None:
        task["annotations"] = [{"result": [_choice(row["label"], source)]}]
    if row["prediction"] is not None:
        said = row["prediction"]
        task["predictions"] = [
            {
                "model_version": str(row["model_version"]),
                "score": said["confidence"],
                "result": [_choice(said["label"], source)],
            }
        ]
    return task


def _choice(label: str, source: str) -> Row:
    return {"from_name": "label", "to_name": source, "type": "choices", "value": {"choices": [label]}}


FORMATS: Mapping[str, tuple[str, Callable[[Iterator[Row]], Iterator[bytes]]]] = MappingProxyType(
    {
        "jsonl": ("application/x-ndjson", _jsonl),
        "csv": ("text/csv; charset=utf-8", _csv),
        "parquet": ("application/vnd.apache.parquet", _parquet),
        "label-studio": ("application/json", _label_studio),
    }
)
"""Media type and writer by the format's name."""
