"""The published rule (arXiv 2605.30198) in JAX, compiled: the peer for speed, written from the paper's formulas.

Needs the optional packages of `pip install -r requirements-peers.lock`. Nothing of Engram is used here, so that each
can be checked against the other.

Shapes: S passes, D features, H hidden, C classes; `lam` is the tuple of each layer's lambda, [fan_in, fan_out].
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from itertools import pairwise
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

PASSES = 5
RULE = {"lr": 81.76, "lr_max": 0.017, "likelihood": 12.3, "pull": 4.72, "window": 6100.0}
"""The constants for one task."""

Lambdas = tuple[Any, ...]
NORM_EPSILON = 1e-5


@jax.custom_jvp
def gate(y: Any) -> Any:
    """Return 1 where |y| > 1, else 0."""
    return (jnp.abs(y) > 1.0).astype(y.dtype)


@gate.defjvp
def _gate_slope(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
    y, along = primals[0], tangents[0]
    size = jnp.abs(y)
    return gate(y), jnp.where((size > 0.5) & (size < 1.5), jnp.sign(y), 0.0) * along


def start(seed: int, sizes: Sequence[int]) -> Lambdas:
    """Return lambda before any label, uniform in +-1/sqrt(fan_in)."""
    keys = jax.random.split(jax.random.key(seed), len(sizes) - 1)
    pairs = zip(keys, pairwise(sizes), strict=True)
    return tuple(jax.random.uniform(key, shape, minval=-1.0, maxval=1.0) / np.sqrt(shape[0]) for key, shape in pairs)


def draws(key: Any, lam: Lambdas) -> Lambdas:
    """Return numbers uniform on (-1, 1) for each pass and synapse, [S, fan_in, fan_out] each."""
    keys = jax.random.split(key, len(lam))
    pairs = zip(keys, lam, strict=True)
    return tuple(jax.random.uniform(one, (PASSES, *part.shape), part.dtype, -1.0, 1.0) for one, part in pairs)


def loss(lam: Lambdas, noise: Lambdas, x: Any, label: Any) -> Any:
    """Return the mean over S relaxed networks of -log softmax of the label, in nats."""
    return weights_loss(relaxed(lam, noise), x, label)


def relaxed(lam: Lambdas, noise: Lambdas) -> Lambdas:
    """Return the relaxed weights [S, fan_in, fan_out] of each layer.

    w = tanh(lambda + logit(eps)/2) = (t + u)/(1 + t u), with t = tanh lambda and u = 2 eps - 1.
    """
    means = map(jnp.tanh, lam)
    return tuple((t + u) / (1.0 + t * u) for t, u in zip(means, noise, strict=True))


def weights_loss(weights: Lambdas, x: Any, label: Any) -> Any:
    """Return the mean over S networks of -log softmax of the label, in nats."""
    log_p = jax.nn.log_softmax(jax.vmap(forward, (0, None))(weights, x))
    return -log_p[:, label].mean()


def forward(weights: Lambdas, x: Any) -> Any:
    """Return the logits [C] of one input [D] by one set of weights."""
    h = x
    for weight in weights[:-1]:
        h = gate(_normed(h @ weight))
    return _normed(h @ weights[-1])


def step(lam: Any, grad: Any) -> Any:
    """Return the step of one layer's lambda for the gradient of the loss; none where there is no gradient at all."""
    t, g = jnp.tanh(lam), RULE["likelihood"] * grad
    held = RULE["pull"] * (1.0 - t * t)
    moved = -(RULE["lr"] * g + held * lam / RULE["window"]) / (
        held + 2.0 * g * t + 2.0 * jnp.abs(g) + 1.0 / RULE["lr_max"]
    )
    return jnp.where(jnp.any(grad != 0.0), moved, 0.0)


@jax.jit
def update(lam: Lambdas, key: Any, x: Any, label: Any) -> Lambdas:
    """Return the state after one sample x [D] of class `label`."""
    grads = jax.grad(loss)(lam, draws(key, lam), x, label)
    return tuple(part + step(part, grad) for part, grad in zip(lam, grads, strict=True))


@jax.jit
def update_tuned(lam: Lambdas, key: Any, x: Any, label: Any) -> Lambdas:
    """Return the same as `update`, up to rounding, written so that the compiler makes fast code of it.

    Differentiating by the weights and adding up the passes one by one keeps the sum over S out of the compiler's
    slow reduction along the outermost axis.
    """
    grads = gradient_by_weights(lam, draws(key, lam), x, label)
    return tuple(part + step(part, grad) for part, grad in zip(lam, grads, strict=True))


def gradient_by_weights(lam: Lambdas, noise: Lambdas, x: Any, label: Any) -> Lambdas:
    """Return the gradient of `loss` by lambda: sum_s (1 - w_s^2) dloss/dw_s."""
    weights = relaxed(lam, noise)
    by_weights = jax.grad(weights_loss)(weights, x, label)
    parts = [by * (1.0 - w * w) for by, w in zip(by_weights, weights, strict=True)]
    return tuple(reduce(add, (part[index] for index in range(PASSES))) for part in parts)


@jax.jit
def update_many(lam: Lambdas, key: Any, xs: Any, labels: Any) -> Lambdas:
    """Return the state after one update for each of xs [N, D], one after the other, without leaving compiled code."""

    def one(state: Lambdas, sample: tuple[Any, Any, Any]) -> tuple[Lambdas, None]:
        return update(state, *sample), None

    return jax.lax.scan(one, lam, (jax.random.split(key, len(labels)), xs, labels))[0]


@partial(jax.jit, static_argnames="passes")
def probabilities(lam: Lambdas, key: Any, xs: Any, passes: int = PASSES) -> Any:
    """Return the mean probabilities [N, C] of xs [N, D] over networks of drawn binary weights."""

    def one(pass_key: Any) -> Any:
        keys = jax.random.split(pass_key, len(lam))
        weights = tuple(
            2.0 * jax.random.bernoulli(each, jax.nn.sigmoid(2.0 * part)).astype(part.dtype) - 1.0
            for each, part in zip(keys, lam, strict=True)
        )
        return jax.nn.softmax(jax.vmap(forward, (None, 0))(weights, xs))

    return jax.vmap(one)(jax.random.split(key, passes)).mean(axis=0)


def learned(rows: NDArray[np.float32], labels: NDArray[np.int64], *, hidden: int, seed: int) -> Lambdas:
    """Return the state after one pass over rows [N, D], which come in their order."""
    lam, key = start(seed, (rows.shape[1], hidden, int(labels.max()) + 1)), jax.random.key(seed + 1)
    for counter, (row, label) in enumerate(zip(rows, labels, strict=True)):
        lam = update_tuned(lam, jax.random.fold_in(key, counter), row, label)
    return lam


def classes_of(lam: Lambdas, rows: NDArray[np.float32], *, seed: int) -> NDArray[np.int64]:
    """Return the most probable class of each row [N]."""
    key = jax.random.key(seed + 2)
    return np.asarray(probabilities(lam, key, rows).argmax(axis=1), np.int64)


def _normed(z: Any) -> Any:
    return (z - z.mean()) / jnp.sqrt(z.var() + NORM_EPSILON)
