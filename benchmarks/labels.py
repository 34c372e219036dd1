"""How many labels a stream needs: every strategy against chance, on plain and on imbalanced streams.

    python -m benchmarks.labels [--data mnist fashion_mnist banking77 electricity] [--balance plain imbalanced]
                                [--strategies …] [--rarity …] [--budgets …] [--seeds 1] [--samples 3000] [--full]
                                [--held-back]

For each stream and seed: one run with every label, then one for each strategy and budget, asking as the service does
(`learner.simulation`: the service's own decisions, every answer at once and true). The default policy weighs rare
classes (`rarity` 1); a strategy by itself does not, as in the service, so that chance is blind. `--rarity` gives all
of them such weights in place of both. Where imbalanced, half of the classes, drawn by the seed, are cut to a twentieth
of their samples in the stream; what is tested on stays as it is. Pictures and texts are tested at the end on the test
file; `--held-back` tests on the last sixth of the training samples in its place: choices are made there. Electricity,
in the order of time, is scored at arrival.

`needed` is the number of labels with which a strategy comes within one point of the run with every label, read off the
line through its budgets' (log labels, accuracy); null where no budget reached it, and the least that was bought where
the smallest budget did. `--full` takes whole streams; the default is a part of each that ends within ten minutes.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import text_intents
from benchmarks.images import DIGITS, images
from benchmarks.reporting import report, summarise
from benchmarks.streams import ELECTRICITY_ROWS, electricity
from learner import build, warm_up
from learner.asking.policy import Policy
from learner.asking.strategies import STRATEGIES
from learner.simulation import Labelled, Outcome, outcome, replay

WITHIN = 0.01
RARE_SHARE = 0.05
HELD_BACK = 1 / 6
PLAIN, IMBALANCED = "plain", "imbalanced"
EVERY_LABEL = Policy(strategy="random", budget=1.0, exploration=1.0)


class Material(NamedTuple):
    """A data set.

    Attributes:
        source: what the input is.
        samples: those that may come.
        test: those to test on at the end; none: scored at arrival.
        ordered: the samples have an order of their own.
    """

    source: dict[str, Any]
    samples: list[Labelled]
    test: list[Labelled]
    ordered: bool = False


def _images(name: str) -> Callable[[int | None, bool], Material]:
    def gather(most: int | None, held_back: bool) -> Material:  # noqa: FBT001 - by position, like its neighbours
        data = images(name, *((60_000, 10_000) if most is None else (most, max(500, most // 4))))
        data = data.held_back(HELD_BACK) if held_back else data
        pairs = ((data.x, data.y), (data.x_test, data.y_test))
        came, test = ([(x, str(y)) for x, y in zip(xs, ys.tolist(), strict=True)] for xs, ys in pairs)
        return Material(data.source, came, test)

    return gather


def _intents(most: int | None, held_back: bool) -> Material:  # noqa: FBT001
    stream, rest = text_intents.split("shuffled", 0, held_back=held_back)
    came, test = ([(row["text"], row["intent"]) for row in rows] for rows in (stream[:most], rest))
    return Material({"kind": "text"}, came, test)


def _electricity(most: int | None, _held_back: bool) -> Material:  # noqa: FBT001
    stream = electricity(most or ELECTRICITY_ROWS, 0)
    names = sorted(stream.rows[0])
    rows = [np.array([row[name] for name in names], np.float32) for row in stream.rows]
    source = {"kind": "vector", "dim": len(names)}
    return Material(source, list(zip(rows, stream.labels, strict=True)), [], ordered=True)


DATA: dict[str, Callable[[int | None, bool], Material]] = {
    "mnist": _images("mnist"),
    "fashion_mnist": _images("fashion_mnist"),
    "banking77": _intents,
    "electricity": _electricity,
    DIGITS: _images(DIGITS),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every stream, seed, strategy and budget."""
    usual = Policy()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", choices=DATA, default=[name for name in DATA if name != DIGITS])
    parser.add_argument("--balance", nargs="*", choices=(PLAIN, IMBALANCED), default=[PLAIN, IMBALANCED])
    parser.add_argument("--strategies", nargs="*", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--rarity", nargs="*", type=float, default=[])
    parser.add_argument("--budgets", nargs="*", type=float, default=[0.05, 0.1, 0.2])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=3_000)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--held-back", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warm_up()
    weighed = [(strategy, rarity) for strategy in options.strategies for rarity in options.rarity or [0.0]]
    if not options.rarity and usual.strategy in options.strategies:
        weighed.insert(0, (usual.strategy, usual.rarity))
    policies = [
        [usual._replace(strategy=strategy, rarity=rarity, budget=budget) for budget in sorted(options.budgets)]
        for strategy, rarity in weighed
    ]
    results, needs = [], []
    for name in options.data:
        material = DATA[name](None if options.full else options.samples, options.held_back)
        for balance in options.balance:
            for seed in range(options.seeds):
                told = {"data": name, "balance": balance, "held_back": options.held_back, "seed": seed}
                part = stream(material, seed, imbalanced=balance == IMBALANCED)
                every, found, needed = curves(part, material, seed, policies, told)
                results += [every, *found]
                needs += needed
    groups = ("data", "balance", "held_back", "strategy", "rarity")
    summarise("labels", results, by=(*groups, "budget"))
    summarise("labels_needed", needs, by=groups)


def stream(material: Material, seed: int, *, imbalanced: bool) -> list[Labelled]:
    """Return the samples as they come: in their own order or the seed's, half of the classes cut where `imbalanced`."""
    draw = np.random.Generator(np.random.Philox(seed))
    samples = material.samples
    order: NDArray[np.int64] = np.arange(len(samples)) if material.ordered else draw.permutation(len(samples))
    if imbalanced:
        names = sorted({label for _x, label in samples})
        rare = {names[index] for index in draw.permutation(len(names))[: len(names) // 2]}
        common = np.array([samples[index][1] not in rare for index in order.tolist()])
        order = order[common | (draw.random(len(order)) < RARE_SHARE)]
    return [samples[index] for index in order.tolist()]


def curves(
    part: list[Labelled], material: Material, seed: int, policies: Sequence[Sequence[Policy]], told: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the run with every label, the runs of each curve of policies, and the labels that each curve needs."""
    every = _reported(EVERY_LABEL, run(part, material, seed, EVERY_LABEL), material, told | {"strategy": "every_label"})
    found, needed = [], []
    for curve in policies:
        named = told | {"strategy": curve[0].strategy}
        points = [_reported(policy, run(part, material, seed, policy), material, named) for policy in curve]
        found += points
        labels = labels_needed([(p["labels"], p["accuracy"]) for p in points], every["accuracy"] - WITHIN)
        needs = None if labels is None else labels / len(part)
        needed.append(named | {"rarity": curve[0].rarity, "needed": labels, "needed_share": needs})
        report("labels_needed", needed[-1])
    return every, found, needed


def run(part: list[Labelled], material: Material, seed: int, policy: Policy) -> Outcome:
    """Return what a policy comes to on a stream, with no class known beforehand."""
    learner = build(material.source, seed=seed)
    return outcome(replay(learner, policy, part, seed=seed), len(part), learner, material.test)


def labels_needed(points: Sequence[tuple[int, float]], wanted: float) -> float | None:
    """Return the labels at which the line through (labels, accuracy), over the labels' logarithm, reaches `wanted`."""
    before: tuple[int, float] | None = None
    for labels, accuracy in points:
        if accuracy >= wanted:
            if before is None:
                return float(labels)
            share = (wanted - before[1]) / (accuracy - before[1])
            return math.exp(math.log(before[0]) + share * math.log(labels / before[0]))
        before = (labels, accuracy)
    return None


def _reported(policy: Policy, found: Outcome, material: Material, told: dict[str, Any]) -> dict[str, Any]:
    accuracy = found.held_out if material.test else found.arrival
    one = told | {"rarity": policy.rarity, "budget": policy.budget, "samples": found.samples, "labels": found.labels}
    one |= {"labels_share": found.share, "accuracy": accuracy}
    report("labels", one)
    return one


if __name__ == "__main__":
    main()
