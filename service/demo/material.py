"""What the demo posts: scikit-learn's digits, or a labelled file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits

from service.datasets import DatasetError, Labelled, image_input, input_of, read

_MOST_OF_A_FILE = 20_000
_PASSES_OF_DIGITS = 3


class Material(NamedTuple):
    """A stream's name and input, its classes, and the samples in the order of posting."""

    name: str
    input: dict[str, Any]
    classes: list[str]
    samples: list[Labelled]


def gather(data: str, count: int | None, seed: int) -> Material:
    """Return `count` samples: the digits, shuffled anew in each pass, or a file's rows in their order.

    Raises:
        DatasetError: where the file is not usable.
    """
    return _digits(count, seed) if data == "digits" else _file(Path(data), count)


def _digits(count: int | None, seed: int) -> Material:
    digits = load_digits()
    images = np.rint(digits.images * (255.0 / 16.0)).astype(int)
    wanted = _PASSES_OF_DIGITS * len(images) if count is None else count
    random = np.random.default_rng(seed)
    order: list[int] = []
    while len(order) < wanted:
        order += random.permutation(len(images)).tolist()
    samples = [
        Labelled(images[index].tolist(), str(digits.target[index]), f"digits-{n:06d}")
        for n, index in enumerate(order[:wanted])
    ]
    return Material("digits", image_input(8, 8, 1), [str(digit) for digit in range(10)], samples)


def _file(path: Path, count: int | None) -> Material:
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file; --data takes 'digits' or a .npz or .jsonl.gz file")
    rows = [row for row in read(path) if row.label is not None][: _MOST_OF_A_FILE if count is None else count]
    if not rows:
        raise DatasetError(f"{path}: it holds no labelled row")
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in path.name.split(".")[0])
    named = [row._replace(id=row.id or f"{name}-{n:06d}") for n, row in enumerate(rows)]
    classes = sorted({str(row.label) for row in named})
    return Material(name.strip("-_") or "demo", input_of(path, [row.data for row in rows]), classes, named)
