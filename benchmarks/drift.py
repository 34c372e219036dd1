"""Streams that change while they run: each row is predicted, then its label learned, if it is bought.

    python -m benchmarks.drift [--streams electricity agrawal clusters] [--rows 8000] [--seeds 1] [--full] [--models …]

`--full`: all 45,312 rows of Electricity, and as many of the made streams, whose concept changes abruptly three times.
Every model runs with all labels, and with a tenth of them: bought by uncertainty within the budget, as the service
does, and at random. Models:

    vector          `build(vector)`: rows as lists of numbers, what a file of numbers becomes by itself
    together        the same by one call of `OnlineLearner.prequential`; with all labels only
    light           a network of 96 hidden units, else as `together`; row by row where labels are bought
    tabular         `build(tabular)`: the same rows with named fields
    forest          a peer: River's adaptive random forest
    tree            a peer: River's Hoeffding adaptive tree
    same_as_before  the last label that was bought

Accuracy is prequential, over all rows, the first included; after a change, over the 500 rows that follow it. Speed is
rows for each second of processor time, one core, prediction and learning together.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from river import base, forest, tree

from benchmarks.asking import ALL, RANDOM, UNCERTAIN, Asker
from benchmarks.reporting import report, summarise
from benchmarks.streams import ELECTRICITY_ROWS, STREAMS, Stream
from learner import OnlineLearner, build, warm_up
from learner.asking.strategies import variation_ratio

BUDGET = 0.1
AFTER = 500
Row = Mapping[str, float]


class Guess(NamedTuple):
    """A label, and how much its answer would teach, 0 … 1."""

    label: str
    utility: float


class Model(Protocol):
    """One that predicts rows and learns their labels."""

    def guess(self, row: Row) -> Guess | None:
        """Return what is said of a row, None while nothing can be said."""

    def learn(self, row: Row, label: str) -> None:
        """Learn one label."""


class Engram:
    """A learner as a stream has it."""

    def __init__(self, learner: OnlineLearner, convert: Callable[[Row], Any]) -> None:
        self._learner, self._convert, self._state = learner, convert, learner.start()

    def guess(self, row: Row) -> Guess | None:
        """Return what is said of a row, with the utility by which the service asks."""
        said = self._learner.scorer(self._state).predict(self._convert(row))
        return None if said is None else Guess(said.label, variation_ratio(said))

    def learn(self, row: Row, label: str) -> None:
        """Learn one label."""
        self._state, _ = self._learner.learn(self._state, self._convert(row), label, seq=self._state.seq + 1)


class River:
    """A classifier of River; its utility is the entropy of what it says, over its maximum."""

    def __init__(self, model: base.Classifier) -> None:
        self._model = model

    def guess(self, row: Row) -> Guess | None:
        """Return what is said of a row."""
        said = self._model.predict_proba_one(dict(row))
        total = sum(said.values())
        if not said or not total > 0.0:
            return None
        shares = [p / total for p in said.values() if p > 0.0]
        bits = -sum(p * math.log2(p) for p in shares)
        return Guess(max(said, key=said.__getitem__), bits / math.log2(max(2, len(said))))

    def learn(self, row: Row, label: str) -> None:
        """Learn one label."""
        self._model.learn_one(dict(row), label)


class SameAsBefore:
    """The last label that was bought; never sure."""

    def __init__(self) -> None:
        self._last: str | None = None

    def guess(self, row: Row) -> Guess | None:  # noqa: ARG002 - whatever the row
        """Return the last label."""
        return None if self._last is None else Guess(self._last, 0.5)

    def learn(self, row: Row, label: str) -> None:  # noqa: ARG002
        """Keep the label."""
        self._last = label


class Together(Engram):
    """A learner that has rows and labels by one call: each is predicted and then learned, as ever."""

    def pass_over(self, stream: Stream) -> list[str | None]:
        """Return what is said of each row before its label is learned."""
        rows = [self._convert(row) for row in stream.rows]
        self._state, said = self._learner.prequential(self._state, rows, stream.labels, seq=self._state.seq + 1)
        return [None if one is None else one.label for one in said]


def _vector(stream: Stream, seed: int, as_what: type[Engram] = Engram, **settings: Any) -> Model:
    names = sorted(stream.rows[0])
    learner = build({"kind": "vector", "dim": len(names)}, seed=seed, **settings)
    return as_what(learner, lambda row: np.array([row[name] for name in names], np.float32))


def _tabular(stream: Stream, seed: int) -> Model:
    fields = dict.fromkeys(stream.rows[0], "number")
    return Engram(build({"kind": "tabular", "fields": fields}, seed=seed), dict)


MODELS: dict[str, Callable[[Stream, int], Model]] = {
    "forest": lambda _, seed: River(forest.ARFClassifier(seed=seed)),
    "vector": _vector,
    "together": lambda stream, seed: _vector(stream, seed, Together),
    "light": lambda stream, seed: _vector(stream, seed, Together, hidden=(96,)),
    "tabular": _tabular,
    "tree": lambda _, seed: River(tree.HoeffdingAdaptiveTreeClassifier(seed=seed)),
    "same_as_before": lambda _, __: SameAsBefore(),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every model over every stream with each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", nargs="*", choices=STREAMS, default=list(STREAMS))
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--labels", nargs="*", choices=(ALL, UNCERTAIN, RANDOM), default=[ALL, UNCERTAIN, RANDOM])
    parser.add_argument("--rows", type=int, default=8_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warm_up()
    # What is compiled at the first call alone is no part of a stream's time.
    prequential(MODELS["light"](few := STREAMS["clusters"](30, 0), 0), few, ALL, 0)
    results = []
    for name in options.streams:
        for seed in range(options.seeds):
            stream, forest_rate = STREAMS[name](ELECTRICITY_ROWS if options.full else options.rows, seed), None
            for model in options.models:
                for labels in options.labels if model != "together" else [ALL] * (ALL in options.labels):
                    told = {"stream": name, "model": model, "labels": labels, "seed": seed, "rows": len(stream.rows)}
                    found = prequential(MODELS[model](stream, seed), stream, labels, seed)
                    if (model, labels) == ("forest", ALL):
                        forest_rate = found["rows_per_s"]
                    if forest_rate is not None and labels == ALL:
                        found["speed_to_forest"] = found["rows_per_s"] / forest_rate
                    results.append(told | found)
                    report("drift", results[-1])
    summarise("drift", results, by=("stream", "model", "labels", "rows"))


def prequential(model: Model, stream: Stream, labels: str, seed: int) -> dict[str, float]:
    """Return accuracy over all rows and after changes, the share of labels bought, and speed."""
    begin = time.process_time()
    if labels == ALL and isinstance(model, Together):
        said_of, share = model.pass_over(stream), 1.0
    else:
        said_of, share = _row_by_row(model, stream, Asker(labels, BUDGET, seed))
    spent = time.process_time() - begin
    hits = np.array([said == label for said, label in zip(said_of, stream.labels, strict=True)], np.float64)
    found = {"accuracy": float(hits.mean()), "labels_share": share, "rows_per_s": len(hits) / spent}
    if stream.changes:
        found["after_changes"] = float(np.mean([hits[at : at + AFTER].mean() for at in stream.changes]))
        found["before_changes"] = float(np.mean([hits[max(0, at - AFTER) : at].mean() for at in stream.changes]))
    return found


def _row_by_row(model: Model, stream: Stream, asker: Asker) -> tuple[list[str | None], float]:
    """Return what is said of each row before its label is bought, if it is, and the share that is bought."""
    labels: list[str | None] = []
    for row, label in zip(stream.rows, stream.labels, strict=True):
        said = model.guess(row)
        labels.append(None if said is None else said.label)
        if asker.asks(None if said is None else said.utility):
            model.learn(row, label)
    return labels, asker.share


if __name__ == "__main__":
    main()
