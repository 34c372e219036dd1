"""The published rule (arXiv 2605.30198) in NumPy, gradients by hand: the peer for speed where JAX is not installed.

S = 5 sampled weight matrices for each update, the constants for one task. It is slower than a compiled form.

Shapes: S passes, D features, H hidden, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

PASSES = 5
Floats = NDArray[np.float32]


def start(seed: int, sizes: Sequence[int]) -> list[Floats]:
    """Return lambda before any label, uniform in +-1/sqrt(fan_in)."""
    draw = np.random.Generator(np.random.Philox(seed))
    lam = [(draw.random(shape, np.float32) * 2 - 1) / np.sqrt(shape[0]) for shape in pairwise(sizes)]
    return [part.astype(np.float32) for part in lam]


def draws(draw: np.random.Generator, lam: Sequence[Floats]) -> list[Floats]:
    """Return numbers uniform on (-1, 1) for each pass and synapse, [S, fan_in, fan_out] each."""
    return [2.0 * draw.random((PASSES, *part.shape), np.float32) - 1.0 for part in lam]


def update(lam: Sequence[Floats], noise: Sequence[Floats], x: Floats, label: int) -> list[Floats]:
    """Return the state after one sample x [D] of class `label`."""
    grads = gradient(lam, noise, x, label)
    return [part + step(part, grad) for part, grad in zip(lam, grads, strict=True)]


def gradient(lam: Sequence[Floats], noise: Sequence[Floats], x: Floats, label: int) -> list[Floats]:
    """Return the gradient by lambda of the mean loss over S relaxed networks, for both layers."""
    means = map(np.tanh, lam)
    weights = [(t + u) / (1.0 + t * u) for t, u in zip(means, noise, strict=True)]
    y, deviation = _normed(np.einsum("d,sdh->sh", x, weights[0]))
    h = (np.abs(y) > 1.0).astype(x.dtype)
    logits, last = _normed(np.einsum("sh,shc->sc", h, weights[1]))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[:, label] -= 1.0
    by_z = _normed_backward(p / PASSES, logits, last)
    slope = np.sign(y) * ((np.abs(y) > 0.5) & (np.abs(y) < 1.5))
    by_first = _normed_backward(np.einsum("sc,shc->sh", by_z, weights[1]) * slope, y, deviation)
    by_weights = [np.einsum("d,sh->sdh", x, by_first), np.einsum("sh,sc->shc", h, by_z)]
    # w = tanh(lambda + noise), so its slope by lambda is 1 - w^2.
    return [(by * (1.0 - w * w)).sum(axis=0) for by, w in zip(by_weights, weights, strict=True)]


def step(lam: Floats, grad: Floats) -> Floats:
    """Return the step of one layer's lambda; none where there is no gradient at all."""
    if not grad.any():
        return np.zeros_like(lam)
    t, g = np.tanh(lam), 12.3 * grad
    held = 4.72 * (1.0 - t * t)
    moved: Floats = -(81.76 * g + held * lam / 6100.0) / (held + 2.0 * g * t + 2.0 * np.abs(g) + 1.0 / 0.017)
    return moved


def _normed(z: Floats) -> tuple[Floats, Floats]:
    """Return the rows of z with mean 0 and deviation 1, and their deviations."""
    deviation = np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)
    return (z - z.mean(axis=1, keepdims=True)) / deviation, deviation


def _normed_backward(grad: Floats, y: Floats, deviation: Floats) -> Floats:
    """Return the gradient by z where that by `_normed(z)` is `grad`."""
    by_z: Floats = (grad - grad.mean(axis=1, keepdims=True) - y * (grad * y).mean(axis=1, keepdims=True)) / deviation
    return by_z
