"""Labelled files: .npz, .csv and .jsonl, plain or gzipped, row by row."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class DatasetError(ValueError):
    """The file is not a data set that can be read; the message says what would be right."""


class Labelled(NamedTuple):
    """One row: data as the service takes it, the label where there is one, and what else the row says of itself."""

    data: Any
    label: str | None = None
    id: str | None = None
    display: dict[str, Any] | None = None


def read(
    path: Path,
    data_field: str = "data",
    label_field: str | None = "label",
    fields: dict[str, str] | None = None,
) -> list[Labelled]:
    """Return all rows of a file.

    .npz: `x_train` and `y_train` (or `x` and `y`), images 0 … 255 or vectors. .jsonl: an object a line with `data` and
    perhaps `label`, `id` and `display`. .csv: a header; the label's column, `id` where there is one, and all other
    columns as numbers, or as `fields` has them for a table.

    Raises:
        DatasetError: where the file is not of these.
    """
    name = path.name.removesuffix(".gz")
    if name.endswith(".npz"):
        return list(_npz(path, label_field))
    if name.endswith((".jsonl", ".ndjson")):
        return list(_jsonl(path, data_field, label_field))
    if name.endswith(".csv"):
        return list(_csv(path, label_field, fields))
    raise DatasetError(f"{path}: the name must end in .npz, .csv, .jsonl, .csv.gz or .jsonl.gz")


def input_of(path: Path, rows: list[Any]) -> dict[str, Any]:
    """Return the input that a file's data are, by their first row and, for objects, by all of their fields.

    Raises:
        DatasetError: where they are none that a stream takes.
    """
    data = rows[0]
    if isinstance(data, str):
        return {"kind": "text"}
    if isinstance(data, dict):
        return {"kind": "tabular", "fields": _fields(rows)}
    shape = _shape(data)
    if len(shape) == 1:
        return {"kind": "vector", "dim": shape[0]}
    if len(shape) == 2:
        return image_input(shape[1], shape[0], 1)
    if len(shape) == 3 and shape[2] in (1, 3):
        return image_input(shape[1], shape[0], shape[2])
    raise DatasetError(f"{path}: data must be vectors, images, texts or objects; the first row has the shape {shape}")


def image_input(width: int, height: int, channels: int) -> dict[str, Any]:
    """Return what a stream of images is told of its input."""
    return {"kind": "image", "width": width, "height": height, "channels": channels}


def _npz(path: Path, label_field: str | None) -> Iterator[Labelled]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            x, y = _pair(path, dict(arrays))
    except DatasetError:
        raise
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
        said = "not a readable .npz file of numbers and texts; numpy.savez(file, x=…, y=…) writes one"
        raise DatasetError(f"{path}: {said}") from None
    for index, row in enumerate(x):
        yield Labelled(row.tolist(), None if y is None or label_field is None else str(y[index]))


def _pair(path: Path, arrays: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    for x, y in (("x_train", "y_train"), ("x", "y"), ("X", "y"), ("data", "label")):
        if x in arrays:
            labels = arrays.get(y)
            if arrays[x].ndim == 0 or (labels is not None and labels.ndim == 0):
                raise DatasetError(f"{path}: {x} and {y} must be rows, not one value")
            if labels is not None and len(labels) != len(arrays[x]):
                raise DatasetError(f"{path}: {x} has {len(arrays[x])} rows, {y} has {len(labels)}")
            return arrays[x], labels
    raise DatasetError(f"{path}: must hold x_train and y_train, or x and y; it holds {', '.join(arrays)}")


def _text(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _jsonl(path: Path, data_field: str, label_field: str | None) -> Iterator[Labelled]:
    with _text(path) as file:
        for number, line in enumerate(_lines(path, file), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                data = row[data_field]
            except (ValueError, KeyError, TypeError, RecursionError):
                raise DatasetError(
                    f"{path}, line {number}: must be a JSON object with the field '{data_field}'"
                ) from None
            label = row.get(label_field) if label_field else None
            named = row.get("id")
            yield Labelled(
                data, None if label is None else str(label), None if named is None else str(named), row.get("display")
            )


def _csv(path: Path, label_field: str | None, fields: dict[str, str] | None) -> Iterator[Labelled]:
    with _text(path) as file:
        for number, row in enumerate(csv.DictReader(_lines(path, file)), 2):
            named, label = row.pop("id", None), row.pop(label_field, None) if label_field else None
            try:
                data = [float(value) for value in row.values()] if fields is None else _record(row, fields)
            except (TypeError, ValueError):
                wanted = "every column but the label" if fields is None else "every field that is a number"
                raise DatasetError(f"{path}, line {number}: {wanted} must be a number") from None
            yield Labelled(data, label, named)


def _record(row: dict[str, str], fields: dict[str, str]) -> dict[str, float | str]:
    """Return a line as an object: an empty cell is a missing field, a column that is no field stays away."""
    known = {name: value for name, value in row.items() if name in fields and value not in (None, "")}
    return {name: float(value) if fields[name] == "number" else value for name, value in known.items()}


def _lines(path: Path, file: IO[str]) -> Iterator[str]:
    try:
        yield from file
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path}: not a readable UTF-8 file ({error})") from None


def _shape(data: Any) -> tuple[int, ...]:
    """Return the lengths of nested lists; () where they are none, or ragged."""
    try:
        return np.shape(data) if isinstance(data, list) else ()
    except ValueError:
        return ()


def _fields(rows: list[Any]) -> dict[str, str]:
    """Return every field that a row has, as a number where each value that is there is one."""
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items() if isinstance(row, dict) else ():
            values.setdefault(name, []).extend([] if value is None else [value])
    return {
        name: "number" if found and all(isinstance(value, int | float) for value in found) else "category"
        for name, found in values.items()
    }
