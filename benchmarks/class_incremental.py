"""Two classes at a time, never again, in one pass: Split-MNIST and Split-Fashion, beside peers in the same run.

    python -m benchmarks.class_incremental [--seeds 1] [--full] [--held-back] [--levels 1] [--data mnist fashion_mnist]
                                           [--hidden 256] [--components 64] [--rates 0.01 0.1 0.5] [--fixed-point]

By default 10,000 training images and 2,000 of the test file; `--full`: all of them. `--held-back` tests on the last
sixth of the training images in place of the test file: choices are made there. `--levels`: thresholds of a pixel in the
memories' codes. `--hidden`, `--components`, `--rates` and `--fixed-point` are the learner's, as `build`
takes them. Peers, each in one pass over the order:

    sgd           a linear model by stochastic gradient descent, ten samples a step: it forgets
    bernoulli_nb  naive Bayes on binary pixels: no order can disturb it
    lda_pixels    class means and one covariance of all: streaming linear discriminant analysis, 2.5 MB
    lda_random    the same on 2,048 random binary features, 17 MB
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import BernoulliNB

from benchmarks.images import DIGITS, Images, images
from benchmarks.reporting import report, summarise
from learner import OnlineLearner, build, warm_up
from learner.building import default_components
from learner.memory.recollection import RATES
from learner.snapshot import dump

RANDOM_FEATURES = 2048
SHRINKAGE = 1e-4
Rows = NDArray[np.float32]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run each data set with each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--held-back", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--levels", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--components", type=int, default=default_components("image"))
    parser.add_argument("--rates", nargs="+", type=float, default=list(RATES))
    parser.add_argument("--fixed-point", action="store_true")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument(
        "--data", nargs="*", choices=("mnist", "fashion_mnist", DIGITS), default=["mnist", "fashion_mnist"]
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warm_up()
    results = []
    for name in options.data:
        data = images(name, *((60_000, 10_000) if options.full else (options.samples, 2_000)))
        data = data.held_back(1 / 6) if options.held_back else data
        for seed in range(options.seeds):
            order = blocks(data.y, seed)
            told = {"data": name, "held_back": options.held_back, "levels": options.levels, "labels": len(order)}
            told |= {
                "hidden": options.hidden,
                "components": options.components,
                "rates": str(options.rates),
                "fixed_point": options.fixed_point,
                "seed": seed,
            }
            learner = build(
                data.source | {"levels": options.levels},
                hidden=(options.hidden,),
                components=options.components,
                rates=tuple(options.rates),
                fixed_point=options.fixed_point,
                seed=seed,
            )
            found = engram(learner, data, order) | ({} if options.no_peers else peers(data, order, seed))
            results.append(told | found)
            report("class_incremental", results[-1])
    groups = ("data", "held_back", "levels", "hidden", "components", "rates", "fixed_point", "labels")
    summarise("class_incremental", results, by=groups)


def blocks(y: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the order in which images come: classes 0 and 1 shuffled, then 2 and 3, and so on."""
    shuffled = np.random.Generator(np.random.Philox(seed)).permutation(len(y))
    return shuffled[np.argsort(y[shuffled] // 2, kind="stable")]


def engram(learner: OnlineLearner, data: Images, order: NDArray[np.int64]) -> dict[str, float | int]:
    """Return the fused learner's accuracy over all classes at the end, its size and milliseconds for each label."""
    state, begin = learner.start(), time.process_time()
    for seq, index in enumerate(order.tolist(), 1):
        state, _ = learner.learn(state, data.x[index], str(data.y[index]), seq=seq)
    spent = time.process_time() - begin
    said = learner.scorer(state).predict_many(list(data.x_test))
    hits = [one is not None and one.label == str(y) for one, y in zip(said, data.y_test, strict=True)]
    found: dict[str, float | int] = {"engram": float(np.mean(hits)), "state_bytes": len(dump(state))}
    return found | {"ms_per_label": 1000.0 * spent / len(order)}


def peers(data: Images, order: NDArray[np.int64], seed: int) -> dict[str, float]:
    """Return the accuracy of each peer."""
    flat, ahead = _rows(data.x), _rows(data.x_test)
    found = {}
    for name, model in (("sgd", SGDClassifier(random_state=seed)), ("bernoulli_nb", BernoulliNB(binarize=0.5))):
        for first in range(0, len(order), 10):
            part = order[first : first + 10]
            model.partial_fit(flat[part], data.y[part], classes=np.arange(len(data.names)))
        found[name] = float(model.score(ahead, data.y_test))
    draw = np.random.Generator(np.random.Philox(seed))
    projection = draw.standard_normal((flat.shape[1], RANDOM_FEATURES), np.float32) / np.float32(flat.shape[1] ** 0.5)
    for name, seen, coming in (
        ("lda_pixels", flat, ahead),
        ("lda_random", _signs(flat, projection), _signs(ahead, projection)),
    ):
        found[name] = discriminant(seen[order], data.y[order], coming, data.y_test)
    return found


def discriminant(x: Rows, y: NDArray[np.int64], x_test: Rows, y_test: NDArray[np.int64]) -> float:
    """Return the accuracy of linear discriminants with the covariance that all classes share.

    Means and covariance are sums over samples, so one pass gives them exactly, in any order.
    """
    counts = np.bincount(y).astype(np.float64)
    means = np.stack([x[y == label].mean(axis=0) for label in range(len(counts))])
    covariance = (x.T @ x).astype(np.float64) / len(x) - (means.T * (counts / len(x))) @ means
    covariance = (1.0 - SHRINKAGE) * covariance + SHRINKAGE * np.eye(len(covariance))
    directions = np.linalg.solve(covariance, means.T)
    scores = x_test @ directions - 0.5 * (means.T * directions).sum(axis=0)
    return float((scores.argmax(axis=1) == y_test).mean())


def _signs(rows: Rows, projection: Rows) -> Rows:
    """Return +-1 by the side of random planes through the middle of the cube of pixels."""
    return np.where((rows - np.float32(0.5)) @ projection > 0.0, np.float32(1.0), np.float32(-1.0))


def _rows(pictures: NDArray[np.uint8]) -> Rows:
    return pictures.reshape(len(pictures), -1).astype(np.float32) / np.float32(255.0)


if __name__ == "__main__":
    main()
