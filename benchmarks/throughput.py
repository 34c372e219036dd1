"""Updates per second and scoring time through the public API, as ratios to the published rule in the same run.

    python -m benchmarks.throughput [--full]

The reference is the published rule as written: S = 5 sampled weight matrices of 784-100-10, gradients by hand, in
NumPy, one thread. It stands in for the authors' implementation, which is not run here: the ratio is to NumPy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.reporting import report
from learner import BiMU, build, warm_up

PASSES, SIZES = 5, (784, 100, 10)
SOURCE = {"kind": "image", "width": 28, "height": 28, "channels": 1}
Floats = NDArray[np.float32]


def main() -> None:
    """Time the reference, BiMU alone and the fused learner on random pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="20,000 updates in place of 2,000")
    updates = 20_000 if parser.parse_args().full else 2_000
    torch.set_num_threads(1)
    warm_up()
    draw = np.random.Generator(np.random.Philox(0))
    pictures = (draw.random((256, 28, 28, 1)) * 255 * (draw.random((256, 28, 28, 1)) < 0.2)).astype(np.uint8)
    reference = reference_rate(pictures, max(200, updates // 10))
    found: dict[str, float] = {"reference_updates_per_s": reference}
    for name, learner in (
        ("bimu_784_100_10", build(SOURCE, hidden=(100,), rates=())),
        ("fused_784_256_10", build(SOURCE)),
    ):
        state = learner.start(tuple("0123456789"))
        begin = time.perf_counter()
        for seq in range(1, updates + 1):
            state, _ = learner.learn(state, pictures[seq % 256], str(seq % 10), seq=seq)
        rate = updates / (time.perf_counter() - begin)
        scorer = learner.scorer(state)
        one = least_seconds(lambda scorer=scorer: scorer.predict(pictures[0]))
        many = least_seconds(lambda scorer=scorer: scorer.predict_many(list(pictures)))
        found |= {f"{name}_updates_per_s": rate, f"{name}_ratio": rate / reference}
        found |= {f"{name}_score_one_us": 1e6 * one, f"{name}_score_256_ms": 1e3 * many}
    report("throughput", found | {"network_only_updates_per_s": network_rate(pictures, updates)})


def network_rate(pictures: NDArray[np.uint8], updates: int) -> float:
    """Return the updates per second of a `BiMU` on features, without an encoder."""
    network = BiMU(SIZES[0], SIZES[1:2])
    layers = network.grow(network.start(0), SIZES[2])
    rows = torch.from_numpy(pictures.reshape(256, -1).astype(np.float32) / 255.0)
    labels = torch.arange(256) % 10
    begin = time.perf_counter()
    for counter in range(updates):
        at = counter % 256
        layers, _ = network.learn(layers, rows[at : at + 1], labels[at : at + 1], counter=counter)
    return updates / (time.perf_counter() - begin)


def reference_rate(pictures: NDArray[np.uint8], updates: int) -> float:
    """Return the updates per second of the published rule in NumPy."""
    draw = np.random.Generator(np.random.Philox(1))
    lam = [(draw.random(shape, np.float32) * 2 - 1) / np.sqrt(shape[0]) for shape in pairwise(SIZES)]
    lam = [part.astype(np.float32) for part in lam]
    rows = pictures.reshape(256, -1).astype(np.float32) / 255.0
    begin = time.perf_counter()
    for number in range(updates):
        grads = sampled_gradient(lam, rows[number % 256], number % 10, draw)
        lam = [part + step(part, grad) for part, grad in zip(lam, grads, strict=True)]
    return updates / (time.perf_counter() - begin)


def sampled_gradient(lam: list[Floats], x: Floats, label: int, draw: np.random.Generator) -> list[Floats]:
    """Return the gradient by lambda of the mean loss over S sampled networks, for both layers."""
    weights = []
    for t in map(np.tanh, lam):
        u = 2.0 * draw.random((PASSES, *t.shape), np.float32) - 1.0
        weights.append((t + u) / (1.0 + t * u))
    z = np.einsum("d,sdh->sh", x, weights[0])
    y, deviation = normed(z)
    h = (np.abs(y) > 1.0).astype(np.float32)
    logits, last = normed(np.einsum("sh,shc->sc", h, weights[1]))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[:, label] -= 1.0
    by_z = normed_backward(p / PASSES, logits, last)
    slope = np.sign(y) * ((np.abs(y) > 0.5) & (np.abs(y) < 1.5))
    by_first = normed_backward(np.einsum("sc,shc->sh", by_z, weights[1]) * slope, y, deviation)
    by_weights = [np.einsum("d,sh->sdh", x, by_first), np.einsum("sh,sc->shc", h, by_z)]
    # w = tanh(lambda + noise), so its slope by lambda is 1 - w^2.
    return [(by * (1.0 - w * w)).sum(axis=0) for by, w in zip(by_weights, weights, strict=True)]


def normed(z: Floats) -> tuple[Floats, Floats]:
    """Return the rows of z with mean 0 and deviation 1, and their deviations."""
    deviation = np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)
    return (z - z.mean(axis=1, keepdims=True)) / deviation, deviation


def normed_backward(grad: Floats, y: Floats, deviation: Floats) -> Floats:
    """Return the gradient by z where that by `normed(z)` is `grad`."""
    return (grad - grad.mean(axis=1, keepdims=True) - y * (grad * y).mean(axis=1, keepdims=True)) / deviation


def step(lam: Floats, grad: Floats) -> Floats:
    """Return the published step with the constants for one task."""
    t, g = np.tanh(lam), 12.3 * grad
    held = 4.72 * (1.0 - t * t)
    return -(81.76 * g + held * lam / 6100.0) / (held + 2.0 * g * t + 2.0 * np.abs(g) + 1.0 / 0.017)


def least_seconds(call: Callable[[], object]) -> float:
    """Return the least time of 30 calls, after one that does not count."""
    call()
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


if __name__ == "__main__":
    main()
