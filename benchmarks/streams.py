"""Streams of table rows that change while they run: a real one, and made ones with abrupt changes."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from river.datasets import synth

from benchmarks.reporting import data_sets

ELECTRICITY_ROWS = 45_312
PARTS = 4
"""How many concepts a made stream has, one after the other."""


class Stream(NamedTuple):
    """Rows of numbers with their labels, in order, and the positions where a new concept begins."""

    rows: list[dict[str, float]]
    labels: list[str]
    changes: list[int]


def electricity(most: int, seed: int) -> Stream:  # noqa: ARG001 - one stream, whatever the seed
    """Return the first rows of Electricity (Harries, 1999) in the order of time, without the date that only grows."""
    with gzip.open(Path(data_sets()) / "electricity.csv.gz", "rt", encoding="utf-8", newline="") as file:
        read = list(islice(csv.DictReader(file), most))
    labels = [row.pop("class") for row in read]
    rows = [{name: float(value) for name, value in row.items() if name != "date"} for row in read]
    return Stream(rows, labels, [])


def agrawal(most: int, seed: int) -> Stream:
    """Return loan decisions (Agrawal et al., 1993) whose rule changes three times: two classes, nine fields."""
    rules = (0, 4, 2, 6)
    return _joined(most, (synth.Agrawal(rule, seed=seed, perturbation=0.05) for rule in rules))


def clusters(most: int, seed: int) -> Stream:
    """Return points of 50 clusters in ten dimensions, five classes, all clusters redrawn three times."""
    made = (synth.RandomRBF(seed + 100 * part, seed + 7, n_classes=5, n_features=10) for part in range(PARTS))
    return _joined(most, made)


STREAMS: dict[str, Callable[[int, int], Stream]] = {
    "electricity": electricity,
    "agrawal": agrawal,
    "clusters": clusters,
}


def _joined(most: int, parts: Iterable[synth.Agrawal | synth.RandomRBF]) -> Stream:
    length = most // PARTS
    pairs = [pair for part in parts for pair in islice(part, length)]
    rows = [{str(name): float(value) for name, value in x.items()} for x, _ in pairs]
    return Stream(rows, [str(y) for _, y in pairs], list(range(length, length * PARTS, length)))
