"""Whether synapses freeze: many updates on a stream that never changes, and then a class that was never seen.

    python -m benchmarks.saturation [--updates 200000] [--seeds 1] [--full] [--data mnist|digits] [--forms …]

`--full`: a million updates. Images of all classes but the last come at random, again and again. Ten times on the way:
the share of synapses with |t| > .999 and their mean entropy in bits, by layer. Then the last class joins the others:
how many of its labels until nine tenths of its test images are told and stay told, after the first hundredth of the
stream as compared with after all of it (null: not within 500); and which share is told near 100 labels. Forms:

    network    `build(image)` without memories at 784-100-10: the default constants
    no_floor   the same with the published pull, which hardly holds what is nearly certain
    no_pull    a peer that may freeze: the same without the pull to the prior (memory_window without end)
    moments    the published network by relaxed moments, with the paper's constants for one task
    long       the same with the paper's constants for a long stream
    product    `build(image)`: network of 256 and memories; slower, so by name only
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.contenders import Learner
from benchmarks.images import DIGITS, Images, images
from benchmarks.permuted_mnist import LONG
from benchmarks.reporting import note, report, summarise
from learner import BiMU, BiMURule, OnlineLearner, build, warm_up
from learner.building import encoder_of
from learner.synapses.bimu import PUBLISHED
from learner.watching.health import layer_health

HIDDEN = (100,)
NO_PULL = replace(BiMURule(), memory_window=1e12)
NO_FLOOR = replace(BiMURule(), pull_floor=0.0)
LOOKS = 10
RECALL, MOST_LABELS, EACH, STEADY = 0.9, 500, 5, 5
"""The recall to reach, within how many labels of the new class, every how many it is looked at, and for how many looks
it must be kept.
"""


def _published(data: Images, seed: int, rule: BiMURule) -> OnlineLearner:
    encoder = encoder_of(data.source)
    network = BiMU.published(encoder.features, HIDDEN, seed=seed)
    return OnlineLearner(encoder, replace(network, form="relaxed", passes=1, votes=10, rule=rule))


FORMS: dict[str, Callable[[Images, int], OnlineLearner]] = {
    "network": lambda data, seed: build(data.source, seed=seed, hidden=HIDDEN, rates=()),
    "no_floor": lambda data, seed: build(data.source, seed=seed, hidden=HIDDEN, rates=(), rule=NO_FLOOR),
    "no_pull": lambda data, seed: build(data.source, seed=seed, hidden=HIDDEN, rates=(), rule=NO_PULL),
    "moments": lambda data, seed: _published(data, seed, BiMURule(**PUBLISHED)),
    "long": lambda data, seed: _published(data, seed, LONG),
    "product": lambda data, seed: build(data.source, seed=seed),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every form with each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=200_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--data", choices=("mnist", DIGITS), default="mnist")
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=[form for form in FORMS if form != "product"])
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warm_up()
    data, updates = images(options.data, 60_000, 10_000), 1_000_000 if options.full else options.updates
    results = []
    for form in options.forms:
        for seed in range(options.seeds):
            learner = Learner(FORMS[form](data, seed), data.x.shape[1:], data.names[:-1])
            told = {"form": form, "seed": seed, "updates": updates}
            on_the_way = partial(note, "saturation_on_the_way", told)
            results.append(told | run(learner, data, seed, updates, on_the_way))
            report("saturation", results[-1])
    summarise("saturation", results, by=("form", "updates"))


def run(
    learner: Learner, data: Images, seed: int, updates: int, look: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Return how the synapses are at the end, and how fast a new class is learned early and late."""
    known, early = stationary(data, seed, classes=len(data.names) - 1), max(1, updates // 100)
    learn(learner, data, known, early)
    found = new_class(learner, data, seed, "early")
    done = early
    for number in range(1, LOOKS + 1):
        end = updates * number // LOOKS
        learn(learner, data, known, end - done)
        done = end
        look({"updates_so_far": done} | health(learner))
    view = learner.view(data.x_test.reshape(len(data.x_test), -1))
    hits = (view.classes == data.y_test)[data.y_test < len(data.names) - 1]
    found |= {"accuracy_known": float(hits.mean())} | health(learner)
    return found | new_class(learner, data, seed, "late")


def stationary(data: Images, seed: int, *, classes: int) -> Iterator[int]:
    """Yield the numbers of images of the first classes, drawn with replacement without end."""
    draw, pool = np.random.Generator(np.random.Philox(seed)), np.flatnonzero(data.y < classes)
    while True:
        yield from pool[draw.integers(len(pool), size=10_000)].tolist()


def learn(learner: Learner, data: Images, stream: Iterator[int], updates: int) -> None:
    """Learn the next images of a stream."""
    for _ in range(updates):
        at = next(stream)
        learner.learn(data.x[at].reshape(1, -1), data.y[at : at + 1])


def health(learner: Learner) -> dict[str, float]:
    """Return the saturated share of all synapses, and that and the mean entropy of each layer."""
    layers = layer_health(learner.state.layers)
    saturated = sum(layer.saturated_share * layer.synapses for layer in layers)
    found = {"saturated": saturated / sum(layer.synapses for layer in layers)}
    for layer in layers:
        name = layer.name.replace(" ", "_")
        found |= {f"{name}_saturated": layer.saturated_share, f"{name}_entropy_bits": layer.mean_entropy_bits}
    return found


def new_class(learner: Learner, data: Images, seed: int, when: str) -> dict[str, Any]:
    """Return how many labels of the last class it takes to tell it, and how much of it is told after 100.

    The learner stays as it is: its state is put back.
    """
    before, new, labels = learner.state, len(data.names) - 1, 0
    strangers = data.x_test[data.y_test == new].reshape(-1, data.x[0].size)
    told: list[float] = []
    for at in stationary(data, seed + 1, classes=new + 1):
        learner.learn(data.x[at].reshape(1, -1), data.y[at : at + 1])
        if data.y[at] != new:
            continue
        labels += 1
        if labels % EACH == 0:
            told.append(recall(learner, strangers, new))
        if labels >= MOST_LABELS or (labels >= 100 and first_steady(told) is not None):
            break
    view = learner.view(data.x_test.reshape(len(data.x_test), -1))
    learner.state = before
    accuracy, at_100 = float((view.classes == data.y_test).mean()), 100 // EACH
    found = {f"{when}_labels_needed": first_steady(told), f"{when}_accuracy_then": accuracy}
    return found | {f"{when}_recall_near_100": float(np.mean(told[at_100 - STEADY : at_100]))}


def first_steady(told: Sequence[float]) -> float | None:
    """Return after how many labels the recall was reached and then kept for `STEADY` looks, None where it was not.

    A class that is new may be given every image for a moment, so one look says little.
    """
    for first in range(len(told) - STEADY + 1):
        if min(told[first : first + STEADY]) >= RECALL:
            return float(EACH * (first + 1))
    return None


def recall(learner: Learner, pictures: NDArray[np.uint8], wanted: int) -> float:
    """Return the share of pictures [N, D], all of one class, that are told."""
    return float((learner.view(pictures).classes == wanted).mean())


if __name__ == "__main__":
    main()
