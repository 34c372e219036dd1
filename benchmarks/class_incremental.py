"""Two classes at a time, never again, in one pass: Split-MNIST and Split-Fashion, beside peers in the same run.

    python -m benchmarks.class_incremental [--seeds 1] [--full]

By default 10,000 training images and 2,000 of the test file; `--full`: all of them.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import BernoulliNB

from benchmarks.images import Images, images
from benchmarks.reporting import report
from learner import build

SOURCE = {"kind": "image", "width": 28, "height": 28, "channels": 1}


def main() -> None:
    """Run both data sets with each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    for name in ("mnist", "fashion_mnist"):
        data = images(name, *((60_000, 10_000) if options.full else (10_000, 2_000)))
        for seed in range(options.seeds):
            order = blocks(data.y, seed)
            found = {"data": name, "labels": len(order), "seed": seed} | engram(data, order, seed)
            report("class_incremental", found | peers(data, order, seed))


def blocks(y: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the order in which images come: classes 0 and 1 shuffled, then 2 and 3, and so on."""
    shuffled = np.random.Generator(np.random.Philox(seed)).permutation(len(y))
    return shuffled[np.argsort(y[shuffled] // 2, kind="stable")]


def engram(data: Images, order: NDArray[np.int64], seed: int) -> dict[str, float]:
    """Return the fused learner's accuracy over all classes at the end, and milliseconds for each label."""
    learner = build(SOURCE, seed=seed)
    state, begin = learner.start(), time.perf_counter()
    for seq, index in enumerate(order, 1):
        state, _ = learner.learn(state, data.x[index], str(data.y[index]), seq=seq)
    spent = time.perf_counter() - begin
    said = learner.scorer(state).predict_many(list(data.x_test))
    hits = [one is not None and one.label == str(y) for one, y in zip(said, data.y_test, strict=True)]
    return {"engram": float(np.mean(hits)), "ms_per_label": 1000.0 * spent / len(order)}


def peers(data: Images, order: NDArray[np.int64], seed: int) -> dict[str, float]:
    """Return the accuracy of a linear model by stochastic gradient descent and of naive Bayes on binary pixels."""
    flat, ahead = data.x.reshape(len(data.x), -1) / 255.0, data.x_test.reshape(len(data.x_test), -1) / 255.0
    found = {}
    for name, model in (("sgd", SGDClassifier(random_state=seed)), ("bernoulli_nb", BernoulliNB(binarize=0.5))):
        for first in range(0, len(order), 10):
            part = order[first : first + 10]
            model.partial_fit(flat[part], data.y[part], classes=np.arange(10))
        found[name] = float(model.score(ahead, data.y_test))
    return found


if __name__ == "__main__":
    main()
