"""One permutation of the pixels after the other, never announced: what of the newest tasks is known at the end.

    python -m benchmarks.permuted_mnist [--tasks 10] [--samples 5000] [--seeds 1] [--full] [--forms …] [--every N]

`--full`: 1,000 tasks of 60,000 samples. `--every N` reports after every N tasks as well. Forms, batch 1 all:

    moments    the published network 784-100-10 by relaxed moments, with the paper's constants for a long stream
    long       784-100-10 by relaxed moments on pixels from 0 to 1, no norm on the logits, with constants chosen for
               many tasks of 60,000 on images held back
    wide       the same with 176 hidden units, as many as fill whole vectors, a pull at every 16th update, and 40 votes
    familiar   `wide`, and beside it a memory of one component for each class that tells strangers
    network    `build(image)` without memories at 784-100-10, with the paper's constants
    default    the same with the default constants
    product    `build(image)`: network of 256 and memories, defaults throughout
    sgd        a peer: a linear model by stochastic gradient descent, ten samples a step
    published  five sampled weights for each update, the paper's to the letter; slow, so by name only

Reported: accuracy on the newest task and the mean of the last five and of all tasks, on test images; and how well
uncertainty tells Fashion-MNIST from MNIST, as area under the curve, like for like: both sets under the newest
permutation, both as the stream scales its pixels (`…_own`: Fashion scaled by its own mean and deviation).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.contenders import Contender, Descent, Familiar, Learner, Network
from benchmarks.images import DIGITS, Images, images
from benchmarks.reporting import report, summarise
from learner import BiMU, BiMURule, build, warm_up
from learner.encoders import ImageEncoder
from learner.memory.mixture import GenerativeMemory

HIDDEN, WIDE = (100,), (176,)
LONG = BiMURule(
    lr=4.9, lr_max=0.0023, likelihood_multiplier=161.3, kl_multiplier=3.76, memory_window=700.0, pull_floor=0.0
)
"""The paper's constants for 1,000 tasks."""
MANY = BiMURule(lr=40.0, lr_max=0.005, memory_window=36_000.0, pull_floor=1.0)
"""Constants for many tasks of 60,000 samples: smaller steps than the defaults', so that a task overwrites less."""
SELDOM = replace(MANY, pull_every=16)
"""The same with few pulls, so that an input that is 0 costs next to nothing."""
LAST = 5


def contender(form: str, data: Images, seed: int) -> Contender:
    """Return one of `FORMS`, untrained."""
    return FORMS[form](data, seed)


def _network(data: Images, network: BiMU) -> Contender:
    return Network(network, float(data.x.mean()), float(data.x.std()), len(data.names))


def _published(data: Images, seed: int) -> Contender:
    return _network(data, replace(BiMU.published(data.x[0].size, HIDDEN, seed=seed), rule=LONG))


def _moments(data: Images, seed: int) -> Contender:
    published = BiMU.published(data.x[0].size, HIDDEN, seed=seed)
    return _network(data, replace(published, rule=LONG, form="relaxed", passes=1, votes=10))


def _long(data: Images, seed: int) -> Contender:
    network = BiMU(data.x[0].size, HIDDEN, constant_input=False, rule=MANY, seed=seed)
    return Network(network, 0.0, 255.0, len(data.names))


def _wide(data: Images, seed: int) -> Network:
    network = BiMU(data.x[0].size, WIDE, constant_input=False, rule=SELDOM, votes=40, seed=seed)
    return Network(network, 0.0, 255.0, len(data.names))


def _familiar(data: Images, seed: int) -> Contender:
    encoder = ImageEncoder(data.x[0].size, 1, 1)
    return Familiar(_wide(data, seed), encoder, GenerativeMemory(encoder.bits, 1, seed=seed))


def _learner(data: Images, seed: int, **settings: Any) -> Contender:
    return Learner(build(data.source, seed=seed, **settings), data.x.shape[1:], data.names)


FORMS: dict[str, Callable[[Images, int], Contender]] = {
    "moments": _moments,
    "long": _long,
    "wide": _wide,
    "familiar": _familiar,
    "network": lambda data, seed: _learner(data, seed, hidden=HIDDEN, rates=(), rule=LONG),
    "default": lambda data, seed: _learner(data, seed, hidden=HIDDEN, rates=()),
    "product": _learner,
    "sgd": lambda data, seed: Descent(len(data.names), seed),
    "published": _published,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every form with each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--samples", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--every", type=int, default=0)
    parser.add_argument("--data", choices=("mnist", DIGITS), default="mnist")
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=[form for form in FORMS if form != "published"])
    options = parser.parse_args(arguments)
    tasks, samples = (1_000, 60_000) if options.full else (options.tasks, options.samples)
    torch.set_num_threads(1)
    warm_up()
    data = images(options.data, 60_000, 10_000)
    strangers = strangers_of(data, options.data)
    results = []
    for form in options.forms:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            one, permutations = contender(form, data, seed), []
            for task in range(1, tasks + 1):
                permutations.append(learn_task(one, data, seed, task, samples))
                if task == tasks or (options.every and task % options.every == 0):
                    told = {"form": form, "seed": seed, "tasks": task, "samples_each": min(samples, len(data.y))}
                    results.append(told | measured(one, data, permutations, strangers))
                    report("permuted_mnist", results[-1])
    summarise("permuted_mnist", results, by=("form", "tasks", "samples_each"))


def strangers_of(data: Images, name: str) -> dict[str, NDArray[np.uint8]]:
    """Return pictures of things that were never learned: as they are, and with the known pictures' scale."""
    if name == DIGITS:
        return {"": 255 - data.x_test}
    fashion = images("fashion_mnist", 60_000, len(data.y_test))
    scaled = (fashion.x_test - fashion.x.mean()) / fashion.x.std() * data.x.std() + data.x.mean()
    return {"": fashion.x_test, "_own": np.clip(np.rint(scaled), 0, 255).astype(np.uint8)}


def learn_task(one: Contender, data: Images, seed: int, task: int, samples: int) -> NDArray[np.int64]:
    """Learn one task and return its permutation of the pixels."""
    draw = np.random.Generator(np.random.Philox(key=[seed, task]))
    permutation = draw.permutation(data.x[0].size)
    chosen = draw.permutation(len(data.y))[:samples]
    one.learn(_permuted(data.x[chosen], permutation), data.y[chosen])
    return permutation


def measured(
    one: Contender, data: Images, permutations: Sequence[NDArray[np.int64]], strangers: dict[str, NDArray[np.uint8]]
) -> dict[str, float]:
    """Return the accuracies by task, newest last, and how well strangers are told."""
    # All tasks cost as much as learning does where they are many; the last five are the paper's number.
    asked = permutations if len(permutations) <= 50 else permutations[-LAST:]
    views = [one.view(_permuted(data.x_test, permutation)) for permutation in asked]
    hits = [float((view.classes == data.y_test).mean()) for view in views]
    found = {"newest": hits[-1], "last_five": float(np.mean(hits[-LAST:]))}
    if len(asked) == len(permutations):
        found["all_tasks"] = float(np.mean(hits))
    for suffix, pictures in strangers.items():
        strange = one.view(_permuted(pictures, permutations[-1])).strange
        for name, scores in strange.items():
            known = views[-1].strange[name]
            truth = np.repeat([0, 1], [len(known), len(scores)])
            found[f"auc_{name}{suffix}"] = float(roc_auc_score(truth, np.concatenate([known, scores])))
    return found


def _permuted(pictures: NDArray[np.uint8], permutation: NDArray[np.int64]) -> NDArray[np.uint8]:
    return pictures.reshape(len(pictures), -1)[:, permutation]


if __name__ == "__main__":
    main()
