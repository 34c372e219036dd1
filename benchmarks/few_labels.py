"""What a handful of labels is worth: scikit-learn's 8 x 8 digits from 30, 90 and 180 labels, in random order, one pass.

    python -m benchmarks.few_labels [--seeds 5] [--labels 30 90 180] [--no-peers]

Tested on all digits that were not learned. Peers see the same labels, once each:

    sgd          a linear model by stochastic gradient descent
    gaussian_nb  Gaussian naive Bayes
    neighbour    the nearest labelled digit: keeps every one of them
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.reporting import report, summarise
from learner import build, warm_up

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every number of labels with each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--labels", type=int, nargs="*", default=[30, 90, 180])
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warm_up()
    digits = load_digits()
    x, y, results = digits.data.astype(np.float32), digits.target.astype(np.int64), []
    for seed in range(options.seeds):
        order = np.random.Generator(np.random.Philox(seed)).permutation(len(y))
        for count in options.labels:
            known, rest = order[:count], order[count:]
            found = engram(x[known], y[known], x[rest], y[rest], seed)
            found |= {} if options.no_peers else peers(x[known], y[known], x[rest], y[rest], seed)
            results.append({"labels": count, "seed": seed} | found)
            report("few_labels", results[-1])
    summarise("few_labels", results, by=("labels",))


def engram(x: Rows, y: Labels, x_rest: Rows, y_rest: Labels, seed: int) -> dict[str, float]:
    """Return the accuracy of a stream of vectors with default settings."""
    learner = build({"kind": "vector", "dim": x.shape[1]}, seed=seed)
    state = learner.start()
    for seq, (row, label) in enumerate(zip(x, y, strict=True), 1):
        state, _ = learner.learn(state, row, str(label), seq=seq)
    said = learner.scorer(state).predict_many(list(x_rest))
    hits = [one is not None and one.label == str(label) for one, label in zip(said, y_rest, strict=True)]
    return {"engram": float(np.mean(hits))}


def peers(x: Rows, y: Labels, x_rest: Rows, y_rest: Labels, seed: int) -> dict[str, float]:
    """Return the accuracy of each peer."""
    models = {
        "sgd": SGDClassifier(random_state=seed),
        "gaussian_nb": GaussianNB(var_smoothing=1e-2),
        "neighbour": KNeighborsClassifier(1),
    }
    models["sgd"].partial_fit(x / 16.0, y, classes=np.arange(10))
    models["gaussian_nb"].partial_fit(x / 16.0, y, classes=np.arange(10))
    models["neighbour"].fit(x / 16.0, y)
    return {name: float(model.score(x_rest / 16.0, y_rest)) for name, model in models.items()}


if __name__ == "__main__":
    main()
