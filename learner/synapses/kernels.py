"""Compiled float32 kernels of one relaxed update of one layer: the fast path of `BiMU` on a CPU.

The reference is `network.relaxed_gradient` with `bimu.bimu_delta`; these give the same to 1e-5. What makes them repeat
to the bit: no reassociation (fastmath off), one thread, and inner loops over a layer's outputs, so that every output
adds its inputs in their order whatever the vector width.

An input that is 0 in every row costs no moments: its synapses only feel the prior's pull. The others are gathered, and
what the way forward works out of them is kept for the way back (`Reached`).

Shapes: R rows of the batch (S samples x B inputs, each with its own noise), D inputs, H outputs of a layer, A inputs
that reach, N = A H.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.synapses.moment_kernels import Array, fill_forgotten, fill_moments

_VARIANCE_FLOOR = np.float32(1e-6)
_ZERO, _ONE, _TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)

_WIDE, _FEW_INPUTS, _MANY_INPUTS = 64, 8, 64


@compiled
def chunk_of(width: int) -> int:
    """Return how many inputs' synapses are worked on together: they stay in the nearest cache and fill its vectors."""
    return _FEW_INPUTS if width >= _WIDE else _MANY_INPUTS


class Reached(NamedTuple):
    """What the way forward keeps of a layer, in chunks of a few inputs: [A / chunk, chunk, H], the last one not full.

    Attributes:
        inputs: which inputs reach, in their order [A].
        t: tanh lambda of their synapses.
        by_m, by_v: slopes of the relaxed moments by lambda.
        m, v: the relaxed moments; of the last chunk only, unless all are kept.
    """

    inputs: NDArray[np.int64]
    t: Array
    by_m: Array
    by_v: Array
    m: Array
    v: Array


@compiled
def reaching(x: Array) -> NDArray[np.int64]:
    """Return the inputs that are not 0 in every row of x [R, D], in their order."""
    found, count = np.empty(x.shape[1], np.int64), 0
    for d in range(x.shape[1]):
        for r in range(x.shape[0]):
            if x[r, d] != _ZERO:
                found[count] = d
                count += 1
                break
    return found[:count].copy()


@compiled
def forward(lam: Array, x: Array, noise: Array, keep: int, z: Array, spread: Array) -> Reached:
    """Write z = x m + spread e and spread = sqrt(max(x^2 v, 1e-6)), both [R, H], with the relaxed moments m, v.

    Args:
        lam: natural parameters [D, H].
        x: inputs [R, D].
        noise: standard normal e [R, H].
        keep: 1: take every input, and keep all moments, as a layer needs whose inputs have a gradient; 0: neither.
        z: pre-activations [R, H], written.
        spread: their deviations [R, H], written.
    """
    inputs = np.arange(x.shape[1]) if keep else reaching(x)
    width, size = lam.shape[1], chunk_of(lam.shape[1])
    chunks = (inputs.size + size - 1) // size
    shape, once = (chunks, size, width), (chunks if keep else 1, size, width)
    t, by_m, by_v = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.float32)
    m, v = np.empty(once, np.float32), np.empty(once, np.float32)
    gathered = np.zeros((size, width), np.float32)
    z[:] = _ZERO
    spread[:] = _ZERO
    for chunk in range(chunks):
        at = chunk if keep else 0
        count = min(size, inputs.size - chunk * size)
        for a in range(count):
            d = inputs[chunk * size + a]
            for h in range(width):
                gathered[a, h] = lam[d, h]
        fill_moments(
            gathered.reshape(-1),
            t[chunk].reshape(-1),
            by_m[chunk].reshape(-1),
            by_v[chunk].reshape(-1),
            m[at].reshape(-1),
            v[at].reshape(-1),
        )
        for r in range(x.shape[0]):
            for a in range(count):
                x1 = x[r, inputs[chunk * size + a]]
                if x1 != _ZERO:
                    x2 = x1 * x1
                    for h in range(width):
                        z[r, h] += x1 * m[at, a, h]
                        spread[r, h] += x2 * v[at, a, h]
    for r in range(x.shape[0]):
        for h in range(width):
            spread[r, h] = math.sqrt(max(spread[r, h], _VARIANCE_FLOOR))
            z[r, h] += spread[r, h] * noise[r, h]
    return Reached(inputs, t, by_m, by_v, m, v)


@compiled
def spread_gradient(grad: Array, noise: Array, spread: Array) -> Array:
    """Return the gradient by the variance of each pre-activation, [R, H]: grad e / (2 spread), 0 at the floor."""
    by_variance = np.empty_like(grad)
    for r in range(grad.shape[0]):
        for h in range(grad.shape[1]):
            free = spread[r, h] * spread[r, h] > _VARIANCE_FLOOR
            by_variance[r, h] = grad[r, h] * noise[r, h] / (_TWO * spread[r, h]) if free else _ZERO
    return by_variance


@compiled
def input_gradient(x: Array, grad: Array, by_variance: Array, reached: Reached) -> Array:
    """Return the gradient by the inputs [R, D] before the step; needs a `Reached` that kept all."""
    by_x = np.empty(x.shape, np.float32)
    size = chunk_of(grad.shape[1])
    for d in range(x.shape[1]):
        chunk, a = d // size, d % size
        for r in range(x.shape[0]):
            by_mean, by_square = _ZERO, _ZERO
            for h in range(grad.shape[1]):
                by_mean += grad[r, h] * reached.m[chunk, a, h]
                by_square += by_variance[r, h] * reached.v[chunk, a, h]
            by_x[r, d] = by_mean + _TWO * x[r, d] * by_square
    return by_x


@compiled
def update(
    lam: Array,
    x: Array,
    grad: Array,
    by_variance: Array,
    reached: Reached,
    rule: Array,
    per_window: Number,
    learned: Array,
) -> Number:
    """Write the layer after one BiMU step; return the sum of |step|.

    Where no synapse has a gradient the layer stays as it is.

    Args:
        lam: natural parameters [D, H]; may be `learned` itself.
        x: inputs [R, D].
        grad: gradient by the pre-activations [R, H].
        by_variance: gradient by their variances [R, H].
        reached: what `forward` kept.
        rule: lr, c_L, c_KL, N, lr_max, floor of the pull, K.
        per_window: K/N where the prior pulls at this update, else 0.
        learned: lambda after the step [D, H], written.
    """
    if not (np.any(grad) and np.any(x)):
        learned[:] = lam
        return 0.0
    settings = (rule[2], per_window, _ONE / rule[4], rule[5])
    inputs, width, size = reached.inputs, lam.shape[1], chunk_of(lam.shape[1])
    forgotten, silent = np.zeros(width, np.float32), 0
    g, g2 = np.zeros((size, width), np.float32), np.zeros((size, width), np.float32)
    stepped, moved = np.zeros((size, width), np.float32), np.zeros(size * width, np.float32)
    for chunk in range(reached.t.shape[0]):
        count = min(size, inputs.size - chunk * size)
        for a in range(count):
            d = inputs[chunk * size + a]
            if silent < d:
                _fill_silent(lam, silent, d, settings, learned, forgotten)
            silent = d + 1
            _outer(x, d, grad, by_variance, a, g, g2)
            for h in range(width):
                stepped[a, h] = lam[d, h]
        _step(
            stepped.reshape(-1)[: count * width],
            reached.t[chunk].reshape(-1),
            reached.by_m[chunk].reshape(-1),
            reached.by_v[chunk].reshape(-1),
            g.reshape(-1),
            g2.reshape(-1),
            rule,
            per_window,
            moved,
        )
        for a in range(count):
            d = inputs[chunk * size + a]
            for h in range(width):
                learned[d, h] = stepped[a, h]
    _fill_silent(lam, silent, lam.shape[0], settings, learned, forgotten)
    return _sum(moved) + _sum(forgotten)


@compiled
def _fill_silent(
    lam: Array, first: int, end: int, settings: tuple[Number, Number, Number, Number], learned: Array, forgotten: Array
) -> None:
    """Write inputs first … end - 1, which have no gradient: pulled, or as they are where nothing pulls."""
    if settings[1] != _ZERO:
        fill_forgotten(lam, first, end, settings, learned, forgotten)
    elif learned.ctypes.data != lam.ctypes.data:
        learned[first:end] = lam[first:end]


@compiled
def _outer(x: Array, d: int, grad: Array, by_variance: Array, a: int, g: Array, g2: Array) -> None:
    """Write the gradients by mean and by variance of the synapses of input d into row a of g and g2."""
    for h in range(grad.shape[1]):
        g[a, h] = x[0, d] * grad[0, h]
        g2[a, h] = x[0, d] * x[0, d] * by_variance[0, h]
    for r in range(1, x.shape[0]):
        if x[r, d] != _ZERO:
            x1, x2 = x[r, d], x[r, d] * x[r, d]
            for h in range(grad.shape[1]):
                g[a, h] += x1 * grad[r, h]
                g2[a, h] += x2 * by_variance[r, h]


@compiled
def _step(
    lam: Array, t: Array, by_m: Array, by_v: Array, g: Array, g2: Array, rule: Array, per_window: Number, moved: Array
) -> None:
    """Step a run of synapses [N] in place, and add the steps' sizes to `moved`."""
    lr, likelihood, pull, per_most, floor = rule[0], rule[1], rule[2], _ONE / rule[4], rule[5]
    for n in range(lam.size):
        weighted = likelihood * (g[n] * by_m[n] + g2[n] * by_v[n])
        unsure = _ONE - t[n] * t[n]
        step = (lr * weighted + pull * max(unsure, floor) * lam[n] * per_window) / (
            pull * unsure + _TWO * (weighted * t[n] + abs(weighted)) + per_most
        )
        lam[n] -= step
        moved[n] += abs(step)


@compiled
def _sum(values: Array) -> Number:
    total = 0.0
    for n in range(values.size):
        total += values[n]
    return total
