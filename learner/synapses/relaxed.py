"""One relaxed update by the compiled kernels, for any number of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.synapses import activation_kernels, kernels
from learner.synapses.kernels import Array


class Batch(NamedTuple):
    """What one update learns from.

    Attributes:
        x: inputs [R, D], float32.
        labels: class indices [R], int64.
        weights: weight of each row in the loss [R], float32.
        noise: standard normal numbers per layer [R, fan_out], float32.
    """

    x: Array
    labels: NDArray[np.int64]
    weights: Array
    noise: Sequence[Array]


class Updated(NamedTuple):
    """The layers after an update, the loss in bits before it, and the sum of |step| over all synapses."""

    layers: list[Array]
    loss_bits: float
    moved: float


class _Passed(NamedTuple):
    inputs: list[Array]
    spreads: list[Array]
    normed: list[Array]
    deviations: list[Array]
    z: Array


def relaxed_update(layers: Sequence[Array], means: Sequence[Array], batch: Batch, rule: Array, scale: float) -> Updated:
    """Return the layers after one update by local reparameterisation with relaxed moments.

    Args:
        layers: lambda of each layer [fan_in, fan_out], float32, left as they are.
        means: tanh lambda, `kernels.means` of each layer.
        batch: inputs, labels, weights, noise.
        rule: lr, c_L, c_KL, N, lr_max, float32.
        scale: logits = scale z; 0 means the published norm on the logits.

    Example:
        >>> lam = [np.zeros((3, 2), np.float32)]
        >>> batch = Batch(np.ones((1, 3), np.float32), np.array([0]), np.ones(1, np.float32),
        ...               [np.zeros((1, 2), np.float32)])
        >>> rule = np.array([1, 1, 1, 100, 1], np.float32)
        >>> relaxed_update(lam, [kernels.means(lam[0])], batch, rule, 1.0).layers[0][0].round(3).tolist()
        [0.125, -0.125]
    """
    passed = _forward(layers, means, batch)
    grad = np.empty_like(passed.z)
    loss_bits = activation_kernels.loss_gradient(passed.z, batch.labels, batch.weights, scale, grad)
    learned, moved = [np.empty_like(lam) for lam in layers], 0.0
    for index in range(len(layers) - 1, -1, -1):
        x = passed.inputs[index]
        by_x = np.empty((len(x), x.shape[1] if index else 0), np.float32)
        by_variance = kernels.spread_gradient(grad, batch.noise[index], passed.spreads[index])
        moved += kernels.update(layers[index], means[index], x, grad, by_variance, rule, learned[index], by_x)
        if index:
            grad = activation_kernels.gate_backward(by_x, passed.normed[index - 1], passed.deviations[index - 1])
    return Updated(learned, loss_bits, moved)


def _forward(layers: Sequence[Array], means: Sequence[Array], batch: Batch) -> _Passed:
    inputs, spreads, normed, deviations = [batch.x], [], [], []
    for index, (lam, t) in enumerate(zip(layers, means, strict=True)):
        z = np.empty((len(batch.x), lam.shape[1]), np.float32)
        spread = np.empty_like(z)
        kernels.forward(lam, t, inputs[-1], batch.noise[index], z, spread)
        spreads.append(spread)
        if index < len(layers) - 1:
            normed.append(np.empty_like(z))
            deviations.append(np.empty(len(z), np.float32))
            inputs.append(activation_kernels.gate_forward(z, normed[-1], deviations[-1]))
    return _Passed(inputs, spreads, normed, deviations, z)
