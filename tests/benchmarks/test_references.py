"""The peers for speed learn by the published rule: gradient and step equal the learner's own, number for number."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks import reference_numpy
from learner import BiMURule
from learner.synapses.bimu import PUBLISHED
from learner.synapses.network import sampled_gradient
from tests.conftest import skip_or_fail

SIZES = (12, 7, 4)
RULE = BiMURule(**PUBLISHED)
Doubles = NDArray[np.float64]


def drawn(seed: int) -> tuple[list[Doubles], list[Doubles], Doubles, int]:
    draw = np.random.Generator(np.random.Philox(seed))
    lam = [draw.normal(0.0, 0.7, shape) for shape in pairwise(SIZES)]
    noise = [draw.uniform(-1.0, 1.0, (5, *part.shape)) for part in lam]
    return lam, noise, draw.normal(0.0, 1.0, SIZES[0]), int(draw.integers(SIZES[-1]))


def expected(lam: list[Doubles], noise: list[Doubles], x: Doubles, label: int) -> tuple[list[Doubles], list[Doubles]]:
    layers = tuple(map(torch.from_numpy, lam))
    uniform = tuple(map(torch.from_numpy, noise))
    found = sampled_gradient(layers, torch.from_numpy(x)[None], torch.tensor([label]), uniform, normed_logits=True)
    steps = [RULE.delta(one, grad).numpy() for one, grad in zip(layers, found.by_layer, strict=True)]
    return [grad.numpy() for grad in found.by_layer], steps


@pytest.mark.parametrize("seed", range(5))
def test_numpy_makes_the_learners_gradient_and_step(seed: int) -> None:
    lam, noise, x, label = drawn(seed)
    grads, steps = expected(lam, noise, x, label)
    after = reference_numpy.update(lam, noise, x, label)
    for found, grad in zip(reference_numpy.gradient(lam, noise, x, label), grads, strict=True):
        np.testing.assert_allclose(found, grad, rtol=1e-9, atol=1e-14)
    for found, before, step in zip(after, lam, steps, strict=True):
        np.testing.assert_allclose(found - before, step, rtol=1e-9, atol=1e-14)


def test_nothing_moves_without_a_gradient() -> None:
    assert not reference_numpy.step(np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32)).any()


IN_JAX = """
import jax
jax.config.update("jax_enable_x64", True)
import numpy as np
from benchmarks import reference_jax
from tests.benchmarks.test_references import drawn, expected

plainly, by_weights = jax.jit(jax.grad(reference_jax.loss)), jax.jit(reference_jax.gradient_by_weights)
step_of = jax.jit(reference_jax.step)
for seed in range(5):
    lam, noise, x, label = drawn(seed)
    grads, steps = expected(lam, noise, x, label)
    found = plainly(tuple(lam), tuple(noise), x, label)
    tuned = by_weights(tuple(lam), tuple(noise), x, label)
    for one, grad in zip(tuned, grads):
        np.testing.assert_allclose(one, grad, rtol=1e-8, atol=1e-13)
    for one, grad, before, step in zip(found, grads, lam, steps):
        np.testing.assert_allclose(one, grad, rtol=1e-8, atol=1e-13)
        np.testing.assert_allclose(step_of(before, one), step, rtol=1e-8, atol=1e-13)
assert not step_of(np.ones((3, 2)), np.zeros((3, 2))).any()

lam, rows, labels = reference_jax.start(0, (12, 7, 4)), np.ones((6, 12), np.float32), np.arange(6) % 4
by_loop = reference_jax.update_many(lam, jax.random.key(3), rows, labels)
for key, row, label in zip(jax.random.split(jax.random.key(3), 6), rows, labels):
    lam = reference_jax.update(lam, key, row, label)
for one, other in zip(lam, by_loop):
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
print("equal", flush=True)
jax.config.update("jax_enable_x64", False)

from benchmarks import throughput

throughput.main(["--repeats", "1", "--updates", "8"])
"""


@pytest.mark.slow
def test_jax_makes_the_learners_gradient_and_step_and_is_timed() -> None:
    if importlib.util.find_spec("jax") is None:
        skip_or_fail("JAX, an optional peer, is not installed: requirements-peers.lock")
    # In a process of its own: JAX starts threads, and 64 bits are a switch of the whole process.
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", IN_JAX], cwd=root, capture_output=True, text=True, check=False)
    equal, line, *_ = [*done.stdout.splitlines(), "", ""]
    assert equal == "equal", done.stderr
    assert done.returncode == 0, done.stderr
    found = json.loads(line)
    assert found["jax_updates_per_s"] == max(found["jax_calls_updates_per_s"], found["jax_loop_updates_per_s"])
    assert found["network_784_100_10_to_jax"] > 1.0
