"""The honest accuracy of a stream: of now, over time, and against what its labels cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection

from learner.watching.accuracy import Accuracy, accuracy
from learner.watching.per_class import OfClass, per_class
from learner.watching.strata import Labelled, Population
from service.storage import accuracy as counts

_FEWEST_LABELS = 20
"""Of fewer labels a point of the cost curve would only show chance."""

_EMPTY: dict[str, Any] = dict.fromkeys(Accuracy._fields) | {"labels": 0}


class Step(NamedTuple):
    """A time step: its number, and what of samples and labels came in it."""

    bucket: int
    population: list[Population]
    labelled: list[Labelled]


def of_now(connection: Connection, stream_id: int, window: int) -> dict[str, Any]:
    """Return accuracy over all samples so far and over the newest `window`, and of each class."""
    population, outcomes = counts.population(connection, stream_id), counts.labelled(connection, stream_id)
    found = accuracy(population, [outcome.labelled for outcome in outcomes])
    newest, first = counts.newest(connection, stream_id, window)
    lately = accuracy(newest, [outcome.labelled for outcome in counts.labelled(connection, stream_id, first)])
    classes = per_class(population, outcomes)
    return {
        **_body(found),
        "window": _body(lately),
        "classes": {name: _class_body(one) for name, one in classes.items()},
    }


def running(
    connection: Connection, stream_id: int, start: int, end: int, width: int
) -> Iterator[tuple[int, Accuracy, int]]:
    """Yield step by step the accuracy over all that came from `start` until then, and on how many labels it rests."""
    so_far = _Sums()
    for step in _steps(connection, stream_id, start, end, width):
        so_far.add(step)
        found = so_far.accuracy()
        if found is not None and step.labelled:
            yield step.bucket, found, found.labels


def cost_curve(
    connection: Connection, stream_id: int, start: int, end: int, width: int, points: int
) -> list[dict[str, Any]]:
    """Return about so many points along the labels spent, each with the accuracy since the point before.

    Steps are taken together until they hold their part of the labels, and at least `_FEWEST_LABELS`; where there are
    not so many, one point speaks for all there are.
    """
    steps = list(_steps(connection, stream_id, start, end, width))
    total = sum(_labels(step) for step in steps)
    part = min(total, max(_FEWEST_LABELS, total / points))
    curve: list[dict[str, Any]] = []
    since, labels, samples = _Sums(), 0, 0
    for step in steps:
        since.add(step)
        labels, samples = labels + _labels(step), samples + sum(row.samples for row in step.population)
        if not step.labelled or labels < part * (len(curve) + 1) - 1e-9:
            continue
        found = since.accuracy()
        if found is not None:
            told = {"value": found.estimate, "low": found.low, "high": found.high}
            curve.append({"labels": labels, "samples": samples, **told})
            since = _Sums()
    return curve


class _Sums:
    """Samples and labels added up over time steps."""

    def __init__(self) -> None:
        self._population: dict[tuple[int, int], Population] = {}
        self._labelled: dict[tuple[int, int, bool, bool], Labelled] = {}

    def add(self, step: Step) -> None:
        for row in step.population:
            cell = (row.stratum, row.age)
            was = self._population.get(cell, Population(row.stratum, 0, 0, 1.0))
            more = (was.samples + row.samples, was.asked + row.asked, min(was.least, row.least))
            self._population[cell] = Population(row.stratum, *more, row.age)
        for of in step.labelled:
            key = (of.stratum, of.age, of.asked, of.right)
            before = self._labelled.get(key)
            self._labelled[key] = of if before is None else _together(before, of)

    def accuracy(self) -> Accuracy | None:
        return accuracy(self._population.values(), self._labelled.values())


def _together(one: Labelled, other: Labelled) -> Labelled:
    labels = one.labels + other.labels
    if not one.propensity:
        return one._replace(labels=labels)
    mean = labels / (one.labels / one.propensity + other.labels / other.propensity)
    return one._replace(labels=labels, propensity=mean)


def _steps(connection: Connection, stream_id: int, start: int, end: int, width: int) -> Iterator[Step]:
    population = counts.population_per_step(connection, stream_id, start, end, width)
    labelled = counts.labelled_per_step(connection, stream_id, start, end, width)
    for bucket in sorted({*population, *labelled}):
        yield Step(bucket, population.get(bucket, []), labelled.get(bucket, []))


def _labels(step: Step) -> int:
    return sum(row.labels for row in step.labelled)


def _body(found: Accuracy | None) -> dict[str, Any]:
    return _EMPTY if found is None else found._asdict()


def _class_body(found: OfClass) -> dict[str, Any]:
    told = {"recall": found.recall, "precision": found.precision}
    return {name: share and share._asdict() for name, share in told.items()} | {"labels": found.labels}
