"""One MNIST task in one pass, batch 1: the published network beside its cheap form, the default one and the product.

    python -m benchmarks.published [--seeds 1] [--full] [--data mnist|fashion_mnist|digits] [--forms …]

Forms, all with one hidden layer of 100 but the three named last before `jax`:

    published  `BiMU.published`: five sampled weights for each update, norm on the logits, standardised pixels
    moments    the same network, inputs and constants, by local reparameterisation with relaxed moments, S = 1
    network    `build(image)` without memories: pixels from 0 to 1, no norm on the logits, the default constants
    halved     the same with 200 units in fixed point: as many bytes
    product    `build(image)`: network of 256 and memories
    small      the same below a megabyte: network of 296 in fixed point and the slowest memory alone
    jax        the published rule once more, in JAX and nothing of Engram; optional, so by name only
               (`pip install -r requirements-peers.lock`)

By default 5,000 training images and 2,000 of the test file; `--full`: all of them. The published form makes 100 updates
a second or so (of processor time, as all rates here), so `--full` takes ten minutes for each seed of it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.images import Images, images
from benchmarks.reporting import report, summarise
from learner import BiMU, OnlineLearner, build, warm_up
from learner.memory.recollection import RATES
from learner.snapshot import dump

HIDDEN, HALVED, SMALL = (100,), (200,), (296,)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every form with each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--samples", type=int, default=5_000)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=[form for form in FORMS if form != "jax"])
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warm_up()
    data = images(options.data, *((60_000, 10_000) if options.full else (options.samples, 2_000)))
    results = []
    for form in options.forms:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            found = {"data": options.data, "form": form, "seed": seed, "samples": len(data.y)}
            results.append(found | FORMS[form](data, seed))
            report("published", results[-1])
    summarise("published", results, by=("data", "form", "samples"))


def order_of(data: Images, seed: int) -> NDArray[np.int64]:
    """Return the order in which the training images come."""
    return np.random.Generator(np.random.Philox(seed)).permutation(len(data.y))


def published(data: Images, seed: int) -> dict[str, Any]:
    """Return what the network of the paper reaches, to the letter."""
    return _network(data, BiMU.published(data.x[0].size, HIDDEN, seed=seed))


def moments(data: Images, seed: int) -> dict[str, Any]:
    """Return what the same network reaches with the moments of its weights in place of five draws of them."""
    return _network(data, replace(BiMU.published(data.x[0].size, HIDDEN, seed=seed), form="relaxed", passes=1))


def network(data: Images, seed: int) -> dict[str, Any]:
    """Return what the product's network reaches alone."""
    return _learner(data, build(data.source, hidden=HIDDEN, rates=(), seed=seed))


def halved(data: Images, seed: int) -> dict[str, Any]:
    """Return what twice as wide a network reaches alone, at half the bytes for each synapse."""
    return _learner(data, build(data.source, hidden=HALVED, rates=(), fixed_point=True, seed=seed))


def product(data: Images, seed: int) -> dict[str, Any]:
    """Return what network and memories reach together."""
    return _learner(data, build(data.source, seed=seed))


def small(data: Images, seed: int) -> dict[str, Any]:
    """Return what they reach together below a megabyte."""
    return _learner(data, build(data.source, hidden=SMALL, rates=RATES[:1], fixed_point=True, seed=seed))


def jax(data: Images, seed: int) -> dict[str, Any]:
    """Return what the published rule reaches by an implementation of its own."""
    from benchmarks import reference_jax  # noqa: PLC0415 - optional

    rows, ahead = data.standardised()
    order, begin = order_of(data, seed), time.process_time()
    lam = reference_jax.learned(rows[order], data.y[order], hidden=HIDDEN[0], seed=seed)
    hits = reference_jax.classes_of(lam, ahead, seed=seed) == data.y_test
    size = 4 * sum(part.size for part in lam)
    found = {"accuracy": float(hits.mean()), "state_bytes": size}
    return found | {"updates_per_s": len(data.y) / (time.process_time() - begin)}


FORMS = {
    "published": published,
    "moments": moments,
    "network": network,
    "halved": halved,
    "product": product,
    "small": small,
    "jax": jax,
}


def _network(data: Images, network: BiMU) -> dict[str, Any]:
    rows, ahead = (torch.from_numpy(part) for part in data.standardised())
    labels, layers = torch.from_numpy(data.y), network.grow(network.start(0), len(data.names))
    begin = time.process_time()
    for counter, at in enumerate(order_of(data, network.seed).tolist()):
        layers, _ = network.learn(layers, rows[at : at + 1], labels[at : at + 1], counter=counter)
    spent = time.process_time() - begin
    logits = torch.as_tensor(network.committee(layers).logits(ahead))
    hits = logits.softmax(dim=-1).mean(dim=0).argmax(dim=-1).numpy() == data.y_test
    size = sum(lam.numel() * lam.element_size() for lam in layers)
    return {"accuracy": float(hits.mean()), "state_bytes": size, "updates_per_s": len(data.y) / spent}


def _learner(data: Images, learner: OnlineLearner) -> dict[str, Any]:
    state, begin = learner.start(data.names), time.process_time()
    for seq, at in enumerate(order_of(data, learner.network.seed).tolist(), 1):
        state, _ = learner.learn(state, data.x[at], str(data.y[at]), seq=seq)
    spent = time.process_time() - begin
    said = learner.scorer(state).predict_many(list(data.x_test))
    hits = [one is not None and one.label == str(y) for one, y in zip(said, data.y_test, strict=True)]
    found = {"accuracy": float(np.mean(hits)), "state_bytes": len(dump(state))}
    return found | {"updates_per_s": len(data.y) / spent}


if __name__ == "__main__":
    main()
