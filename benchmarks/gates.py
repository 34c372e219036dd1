"""What engram gates are worth: the published network taken apart, and the learner of a stream with each gate.

    python -m benchmarks.gates [--seeds 2] [--part published|product|both] [--held-back] [--full]
                               [--samples N] [--data mnist|digits]

`published`: engramBNN on Split-MNIST, two classes at a time, batches of 50, one epoch, 512 hidden units; 10,000 images,
2,000 of the test file to score. `product`: the learner of a stream, one label at a time, with and without its memories,
in blocks of two classes and shuffled; 2,000 images, 1,000 to score. `--full`: all images, the paper's size.
`--held-back` scores the last 5,000 training images, which nothing learns: choices are made there, never on the test
file.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.class_incremental import blocks
from benchmarks.images import DIGITS, Images, images
from benchmarks.reporting import report
from learner import build
from learner.memory.recollection import RATES
from learner.synapses.engram_bnn import EngramBNN
from learner.synapses.gating import GATES

HELD_BACK, BATCH = 5_000, 50
Found = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run each part with each seed, then report means and standard deviations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--part", choices=("published", "product", "both"), default="both")
    parser.add_argument("--held-back", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--samples", type=int, help="images to learn and, at most, to score")
    parser.add_argument("--data", choices=("mnist", DIGITS), default="mnist")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    parts: dict[str, tuple[Callable[[Images, int], Found], int, int]] = {
        "published": (published, 10_000, 2_000),
        "product": (product, 2_000, 1_000),
    }
    for name, (run, train, test) in parts.items():
        if options.part in (name, "both"):
            most = (min(size, options.samples or size) for size in (train, test))
            data = load(options.data, *most, full=options.full, held_back=options.held_back)
            told = {"part": name, "labels": len(data.y), "held_back": options.held_back}
            found = []
            for seed in range(options.seeds):
                begin = time.perf_counter()
                found.append(run(data, seed))
                report("gates", told | {"seed": seed, "seconds": time.perf_counter() - begin} | found[-1])
            report("gates", told | {"seeds": options.seeds} | summary(found))


def load(name: str, train: int, test: int, *, full: bool, held_back: bool) -> Images:
    """Return what is learned and what is scored."""
    if not held_back:
        return images(name, *((60_000, 10_000) if full else (train, test)))
    data = images(name, 60_000, 0)
    end = max(1, len(data.y) - HELD_BACK)
    train = end if full else train
    return Images(data.x[:train], data.y[:train], data.x[end:], data.y[end:])


def published(data: Images, seed: int) -> Found:
    """Return the accuracy over all classes at the end of each form of the published network."""
    code = {"gate": "sparse_code", "hidden": (), "real_readout": True}
    forms: dict[str, dict[str, object]] = {
        "binarised": {"gate": "none", "metaplasticity": 0.0},
        "metaplastic": {"gate": "none"},
        "metaplastic, present": {"gate": "none", "present_only": True},
        "engramBNN": {},
        "engramBNN, m = 50": {"metaplasticity": 50.0},
        "engramBNN, present": {"present_only": True},
        "sparse code": code,
        "sparse code, present": code | {"present_only": True},
    }
    return {name: in_blocks(data, seed, settings) for name, settings in forms.items()}


def in_blocks(data: Images, seed: int, settings: Mapping[str, object]) -> float:
    """Return the accuracy at the end of one pass over blocks of two classes, in batches that hold one block only."""
    x, ahead = (torch.from_numpy(one.reshape(len(one), -1)) / 255.0 for one in (data.x, data.x_test))
    network = EngramBNN(x.shape[1], classes=10, seed=seed, **settings)
    order, state = blocks(data.y, seed), network.start()
    for block in range(5):
        part = torch.from_numpy(order[data.y[order] // 2 == block])
        for rows in part[: len(part) // BATCH * BATCH].split(BATCH):
            state, _ = network.learn(state, x[rows], torch.from_numpy(data.y)[rows])
    said = network.logits(state, ahead).argmax(dim=1).numpy()
    return float((said == data.y_test).mean())


def product(data: Images, seed: int) -> Found:
    """Return the accuracy at the end of a stream's learner, with each gate, with and without memories."""
    orders = {
        "blocks": blocks(data.y, seed),
        "shuffled": np.random.Generator(np.random.Philox(seed)).permutation(len(data.y)),
    }
    return {
        f"{order}, {what}, {gate}": one_by_one(data, rows, seed, gate, rates)
        for order, rows in orders.items()
        for what, rates in (("network", ()), ("network and memories", RATES))
        for gate in GATES
    }


def one_by_one(data: Images, order: NDArray[np.int64], seed: int, gate: str, rates: tuple[float, ...]) -> float:
    """Return the accuracy of one learner at the end of one pass."""
    learner = build(data.source, seed=seed, gate=gate, rates=rates)
    state = learner.start()
    for seq, index in enumerate(order, 1):
        state, _ = learner.learn(state, data.x[index], str(data.y[index]), seq=seq)
    said = learner.scorer(state).predict_many(list(data.x_test))
    return float(np.mean([one is not None and one.label == str(y) for one, y in zip(said, data.y_test, strict=True)]))


def summary(found: Sequence[Found]) -> Found:
    """Return the mean of each row over the seeds, and beside it the standard deviation."""
    columns = {name: np.array([one[name] for one in found]) for name in found[0]}
    return {
        key: float(value)
        for name, column in columns.items()
        for key, value in ((name, column.mean()), (f"{name}, sd", column.std()))
    }


if __name__ == "__main__":
    main()
