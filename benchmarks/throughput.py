"""Updates per second and scoring time through the public API, beside the published rule on the same core.

    python -m benchmarks.throughput [--repeats 7] [--full]

The peer is the published rule, S = 5 sampled networks of 784-100-10, float32, batch 1:

    jax_calls  in JAX by automatic differentiation, as one would write the paper down; one compiled call a sample
    jax_loop   the same, all samples in one compiled loop
    jax_tuned  in JAX with the gradient arranged for the compiler; one compiled call a sample
    numpy      written out by hand

JAX is optional (`pip install -r requirements-peers.lock`); without it the result has null in its place. All run on one
core, in turns, and are timed by the processor time that they took, so that other work on the machine does not count. A
rate is that of the median turn. `to_jax` is the ratio to the faster of the two plain forms, `to_fastest` to the fastest
peer.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import reference_numpy
from benchmarks.reporting import report
from learner import BiMU, OnlineLearner, build, warm_up

SIZES = (784, 100, 10)
SOURCE = {"kind": "image", "width": 28, "height": 28, "channels": 1}
PICTURES = 256


class Turn(NamedTuple):
    """What is timed: a call that makes `updates` updates."""

    call: Callable[[], object]
    updates: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Time the peer, the network and the whole learner on random pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--updates", type=int, default=512, help="updates of one turn; the peers make an eighth of it")
    parser.add_argument("--no-jax", action="store_true", help="the peer in NumPy alone")
    parser.add_argument("--full", action="store_true", help="four times as long turns")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with one_core():
        warm_up()
        pictures = random_pictures()
        learners = {
            "bimu_784_100_10": build(SOURCE, hidden=SIZES[1:2], rates=()),
            "fused_784_256_10": build(SOURCE),
        }
        updates = options.updates * (4 if options.full else 1)
        with_jax = importlib.util.find_spec("jax") is not None and not options.no_jax
        peers = peer_turns(pictures, updates // 8, with_jax=with_jax)
        turns = {
            "network_784_100_10": network_turn(pictures, updates),
            "network_784_100_10_each": network_each_turn(pictures, updates),
        }
        turns |= {name: learner_turn(learner, pictures, updates) for name, learner in learners.items()}
        rates = rates_of(peers | turns, options.repeats)
        jax = max((rates[name] for name in ("jax_calls", "jax_loop") if name in rates), default=None)
        fastest = max(peers, key=lambda name: rates[name])
        found: dict[str, object] = {"repeats": options.repeats, "fastest_peer": fastest, "jax_updates_per_s": jax}
        found |= {f"{name}_updates_per_s": rate for name, rate in rates.items()}
        for name in turns:
            found[f"{name}_to_jax"] = None if jax is None else rates[name] / jax
            found[f"{name}_to_fastest"] = rates[name] / rates[fastest]
        for name, learner in learners.items():
            found |= scoring(name, learner, pictures)
    report("throughput", found)


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on one core, where the system can, so that no library may use more."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def random_pictures() -> NDArray[np.uint8]:
    """Return pictures of which a fifth of the pixels are lit, as in handwriting."""
    draw = np.random.Generator(np.random.Philox(0))
    shape = (PICTURES, 28, 28, 1)
    return (draw.random(shape) * 255 * (draw.random(shape) < 0.2)).astype(np.uint8)


def rates_of(turns: Mapping[str, Turn], repeats: int) -> dict[str, float]:
    """Return the updates per second of processor time of each, by the median of turns taken one after the other."""
    spent: dict[str, list[float]] = {name: [] for name in turns}
    for turn in turns.values():
        turn.call()
    for _ in range(repeats):
        for name, turn in turns.items():
            begin = time.process_time()
            turn.call()
            spent[name].append(time.process_time() - begin)
    return {name: turn.updates / median(spent[name]) for name, turn in turns.items()}


def peer_turns(pictures: NDArray[np.uint8], updates: int, *, with_jax: bool) -> dict[str, Turn]:
    """Return the published rule by each of its forms."""
    rows = np.resize(pictures.reshape(PICTURES, -1).astype(np.float32) / 255.0, (updates, SIZES[0]))
    labels = np.arange(updates) % SIZES[2]
    turns = {"numpy": numpy_turn(rows, labels)}
    if with_jax:
        turns |= jax_turns(rows, labels)
    return turns


def numpy_turn(rows: NDArray[np.float32], labels: NDArray[np.int64]) -> Turn:
    """Return the published rule in NumPy."""
    lam, draw = reference_numpy.start(1, SIZES), np.random.Generator(np.random.Philox(1))

    def call() -> None:
        nonlocal lam
        for row, label in zip(rows, labels.tolist(), strict=True):
            lam = reference_numpy.update(lam, reference_numpy.draws(draw, lam), row, label)

    return Turn(call, len(labels))


def jax_turns(rows: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, Turn]:
    """Return the published rule in JAX, in three forms."""
    import jax  # noqa: PLC0415 - optional, and its threads are as many as the cores at its import

    from benchmarks import reference_jax  # noqa: PLC0415

    updates, first = len(labels), reference_jax.start(1, SIZES)
    keys = list(jax.random.split(jax.random.key(1), updates))

    def each(update: Callable[..., reference_jax.Lambdas]) -> None:
        lam = first
        for key, row, label in zip(keys, rows, labels, strict=True):
            lam = update(lam, key, row, label)
        jax.block_until_ready(lam)

    def loop() -> None:
        jax.block_until_ready(reference_jax.update_many(first, keys[0], rows, labels))

    return {
        "jax_calls": Turn(lambda: each(reference_jax.update), updates),
        "jax_loop": Turn(loop, updates),
        "jax_tuned": Turn(lambda: each(reference_jax.update_tuned), updates),
    }


def features_of(pictures: NDArray[np.uint8]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pictures as features, and a label for each."""
    rows = torch.from_numpy(pictures.reshape(PICTURES, -1).astype(np.float32) / 255.0)
    return rows, torch.arange(PICTURES) % SIZES[2]


def network_turn(pictures: NDArray[np.uint8], updates: int) -> Turn:
    """Return a `BiMU` on features, without an encoder; one call for each update."""
    network = BiMU(SIZES[0], SIZES[1:2])
    layers, counter = network.grow(network.start(0), SIZES[2]), 0
    rows, labels = features_of(pictures)

    def call() -> None:
        nonlocal layers, counter
        for _ in range(updates):
            at, counter = counter % PICTURES, counter + 1
            layers, _ = network.learn(layers, rows[at : at + 1], labels[at : at + 1], counter=counter)

    return Turn(call, updates)


def network_each_turn(pictures: NDArray[np.uint8], updates: int) -> Turn:
    """Return the same with one call for as many updates as there are pictures."""
    network, (rows, labels) = BiMU(SIZES[0], SIZES[1:2]), features_of(pictures)
    layers, counter, calls = network.grow(network.start(0), SIZES[2]), 0, max(1, updates // PICTURES)

    def call() -> None:
        nonlocal layers, counter
        for _ in range(calls):
            layers, _ = network.learn_each(layers, rows, labels, counter=counter)
            counter += PICTURES

    return Turn(call, calls * PICTURES)


def learner_turn(learner: OnlineLearner, pictures: NDArray[np.uint8], updates: int) -> Turn:
    """Return a learner from pictures, as a stream has it."""
    state, seq = learner.start(tuple("0123456789")), 0

    def call() -> None:
        nonlocal state, seq
        for _ in range(updates):
            seq += 1
            state, _ = learner.learn(state, pictures[seq % PICTURES], str(seq % SIZES[2]), seq=seq)

    return Turn(call, updates)


def scoring(name: str, learner: OnlineLearner, pictures: NDArray[np.uint8]) -> dict[str, float]:
    """Return the median time to score one picture, in µs, and all 256, in ms, after one round of learning."""
    state = learner.start(tuple("0123456789"))
    for seq in range(1, PICTURES + 1):
        state, _ = learner.learn(state, pictures[seq % PICTURES], str(seq % SIZES[2]), seq=seq)
    scorer, many = learner.scorer(state), list(pictures)
    one = median_seconds(lambda: scorer.predict(pictures[0]), 300)
    return {
        f"{name}_score_one_us": 1e6 * one,
        f"{name}_score_256_ms": 1e3 * median_seconds(lambda: scorer.predict_many(many), 20),
    }


def median_seconds(call: Callable[[], object], repeats: int) -> float:
    """Return the median processor time of a call, after one that does not count."""
    call()
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        call()
        times.append(time.process_time() - begin)
    return median(times)


if __name__ == "__main__":
    main()
