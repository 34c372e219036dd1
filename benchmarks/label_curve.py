"""How many labels MNIST needs: accuracy by budget, asking as the service does, and asking blindly.

    python -m benchmarks.label_curve [--seeds 1] [--full] [--imbalanced] [--budgets …] [--held-back]

By default 10,000 samples and 2,000 of the test file; `--full`: all of them. `--imbalanced` cuts five classes, drawn by
the seed, to a twentieth of their samples in the stream; the test stays balanced. `--held-back` tests on the last sixth
of the training samples in place of the test file: choices are made there. Answers come at once. Runs:

    uncertain  by the variation ratio within the budget, as the service asks
    random     a coin for each sample
    linear     a peer: a linear model by stochastic gradient descent that asks by its entropy within the budget
    all        every label
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier

from benchmarks.asking import ALL, RANDOM, UNCERTAIN, Asker
from benchmarks.images import DIGITS, Images, images
from benchmarks.reporting import report, summarise
from learner import build, warm_up
from learner.asking.strategies import variation_ratio

RARE_CLASSES, RARE_SHARE = 5, 0.05
Picture = NDArray[np.uint8]


class Model(Protocol):
    """One that learns pictures one at a time."""

    def utility(self, picture: Picture) -> float | None:
        """Return how much an answer would teach, 0 … 1; None while nothing can be said."""

    def learn(self, picture: Picture, label: int) -> None:
        """Learn one label."""

    def classes_of(self, pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the class of each picture, -1 where nothing can be said."""


class Engram:
    """The learner as a stream has it, with no class known beforehand."""

    def __init__(self, data: Images, seed: int) -> None:
        self._learner = build(data.source, seed=seed)
        self._state = self._learner.start()

    def utility(self, picture: Picture) -> float | None:
        """Return the service's utility."""
        said = self._learner.scorer(self._state).predict(picture)
        return None if said is None else variation_ratio(said)

    def learn(self, picture: Picture, label: int) -> None:
        """Learn one label."""
        self._state, _ = self._learner.learn(self._state, picture, str(label), seq=self._state.seq + 1)

    def classes_of(self, pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the class of each picture."""
        said = self._learner.scorer(self._state).predict_many(list(pictures))
        return np.array([-1 if one is None else int(one.label) for one in said])


class Linear:
    """A linear model that knows from the beginning how many classes there are."""

    def __init__(self, data: Images, seed: int) -> None:
        self._model, self._classes = SGDClassifier(loss="log_loss", random_state=seed), np.arange(len(data.names))

    def utility(self, picture: Picture) -> float | None:
        """Return the entropy of what is said over its maximum."""
        if not hasattr(self._model, "coef_"):
            return None
        p = np.maximum(self._model.predict_proba(_rows(picture[None]))[0], 1e-12)
        return float(-(p * np.log(p)).sum() / np.log(len(p)))

    def learn(self, picture: Picture, label: int) -> None:
        """Learn one label."""
        self._model.partial_fit(_rows(picture[None]), [label], classes=self._classes)

    def classes_of(self, pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the class of each picture."""
        found: NDArray[np.int64] = self._model.predict(_rows(pictures))
        return found


class Run(NamedTuple):
    """A model and how it asks."""

    model: Callable[[Images, int], Model]
    strategy: str


RUNS = {
    "uncertain": Run(Engram, UNCERTAIN),
    "random": Run(Engram, RANDOM),
    "linear": Run(Linear, UNCERTAIN),
    "all": Run(Engram, ALL),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every budget with each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--imbalanced", action="store_true")
    parser.add_argument("--held-back", action="store_true")
    parser.add_argument("--budgets", type=float, nargs="*", default=[0.03, 0.05, 0.07, 0.1])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--data", choices=("mnist", "fashion_mnist", DIGITS), default="mnist")
    parser.add_argument("--runs", nargs="*", choices=RUNS, default=list(RUNS))
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warm_up()
    data = images(options.data, *((60_000, 10_000) if options.full else (options.samples, 2_000)))
    data = data.held_back(1 / 6) if options.held_back else data
    results = []
    for seed in range(options.seeds):
        order = stream(data, seed, imbalanced=options.imbalanced)
        told = {"data": options.data, "imbalanced": options.imbalanced, "held_back": options.held_back}
        told |= {"seed": seed, "samples": len(order)}
        for name in options.runs:
            for budget in (1.0,) if name == "all" else options.budgets:
                results.append(told | {"run": name, "budget": budget} | run(data, order, seed, RUNS[name], budget))
                report("label_curve", results[-1])
    summarise("label_curve", results, by=("data", "imbalanced", "held_back", "run", "budget"))


def stream(data: Images, seed: int, *, imbalanced: bool) -> NDArray[np.int64]:
    """Return the order in which samples come; with five classes cut to a twentieth where `imbalanced`."""
    draw = np.random.Generator(np.random.Philox(seed))
    order = draw.permutation(len(data.y))
    if not imbalanced:
        return order
    rare = draw.permutation(len(data.names))[:RARE_CLASSES]
    kept = ~np.isin(data.y[order], rare) | (draw.random(len(order)) < RARE_SHARE)
    return order[kept]


def run(data: Images, order: NDArray[np.int64], seed: int, of: Run, budget: float) -> dict[str, Any]:
    """Return the accuracy at the end, and the share of labels that were bought."""
    model, asker = of.model(data, seed), Asker(of.strategy, budget, seed)
    for index in order.tolist():
        utility = model.utility(data.x[index]) if of.strategy == UNCERTAIN else 0.0
        if asker.asks(utility):
            model.learn(data.x[index], int(data.y[index]))
    hits = model.classes_of(data.x_test) == data.y_test
    return {"labels": asker.labels, "labels_share": asker.share, "accuracy": float(hits.mean())}


def _rows(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    rows: NDArray[np.float64] = pictures.reshape(len(pictures), -1) / 255.0
    return rows


if __name__ == "__main__":
    main()
