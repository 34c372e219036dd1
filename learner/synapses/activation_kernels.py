"""Compiled float32 kernels between the layers: norm and gate forward and back, and the loss of the logits.

The reference is `network`: `layer_norm`, `gate`, `gate_slope`, `layer_norm_backward`. Sums run in a fixed order.

Shapes: R rows of the batch, H units of a layer, C classes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.sum_kernels import lane_sum, lanes_of_a_sum
from learner.synapses.moment_kernels import Array

NORM_EPSILON = np.float32(1e-5)
_ZERO, _HALF, _ONE, _THREE_HALVES = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(1.5)


@compiled
def normalise(z: Array, y: Array, squares: Array, lanes: Array) -> Number:
    """Write y = (z - mean)/deviation of one row [N]; return deviation = sqrt(variance + 1e-5).

    `squares` and `lanes` are scratch.
    """
    mean = lane_sum(z, lanes) / np.float32(z.size)
    for j in range(z.size):
        y[j] = z[j] - mean
        squares[j] = y[j] * y[j]
    deviation = np.float32(math.sqrt(lane_sum(squares, lanes) / np.float32(z.size) + NORM_EPSILON))
    for j in range(z.size):
        y[j] /= deviation
    return deviation


@compiled
def gate_forward(z: Array, y: Array, deviation: Array) -> Array:
    """Write y = layer_norm(z) [R, H] and its deviation [R]; return the gate h = 1{|y| > 1} [R, H]."""
    h, squares, lanes = np.empty_like(z), np.empty(z.shape[1], np.float32), lanes_of_a_sum()
    for r in range(z.shape[0]):
        deviation[r] = normalise(z[r], y[r], squares, lanes)
        for j in range(z.shape[1]):
            h[r, j] = _ONE if abs(y[r, j]) > _ONE else _ZERO
    return h


@compiled
def gate_backward(by_h: Array, y: Array, deviation: Array) -> Array:
    """Return the gradient by z [R, H] where that by the gate's output is `by_h`."""
    grad = np.empty_like(by_h)
    for r in range(y.shape[0]):
        for j in range(y.shape[1]):
            size = abs(y[r, j])
            sloped = size > _HALF and size < _THREE_HALVES
            grad[r, j] = (by_h[r, j] if y[r, j] > _ZERO else -by_h[r, j]) if sloped else _ZERO
        norm_backward(grad[r], y[r], deviation[r])
    return grad


@compiled
def norm_backward(grad: Array, y: Array, deviation: Number) -> None:
    """Turn one row's gradient by y = layer_norm(z) into that by z, in place."""
    mean, along = _ZERO, _ZERO
    for j in range(y.size):
        mean += grad[j]
        along += grad[j] * y[j]
    mean /= np.float32(y.size)
    along /= np.float32(y.size)
    for j in range(y.size):
        grad[j] = (grad[j] - mean - y[j] * along) / deviation


@compiled
def loss_gradient(z: Array, labels: NDArray[np.int64], weights: Array, scale: Number, grad: Array) -> Number:
    """Write the gradient by z [R, C] of sum_r weight_r NLL_r and return that loss in bits.

    Args:
        z: outputs of the last layer [R, C].
        labels: class index of each row [R].
        weights: weight of each row [R].
        scale: logits = scale z; 0 means logits = layer_norm(z).
        grad: written [R, C].
    """
    loss = 0.0
    logits, squares, lanes = np.empty(z.shape[1], np.float32), np.empty(z.shape[1], np.float32), lanes_of_a_sum()
    for r in range(z.shape[0]):
        deviation = _ONE
        if scale == 0.0:
            deviation = normalise(z[r], logits, squares, lanes)
        else:
            for j in range(z.shape[1]):
                logits[j] = np.float32(scale) * z[r, j]
        loss += weights[r] * _row_loss(logits, labels[r], grad[r])
        for j in range(z.shape[1]):
            grad[r, j] *= weights[r] * (_ONE if scale == 0.0 else np.float32(scale))
        if scale == 0.0:
            norm_backward(grad[r], logits, deviation)
    return loss / math.log(2.0)


@compiled
def _row_loss(logits: Array, label: int, grad: Array) -> Number:
    most = logits.max()
    total = 0.0
    for j in range(logits.size):
        total += math.exp(logits[j] - most)
    for j in range(logits.size):
        grad[j] = np.float32(math.exp(logits[j] - most) / total) - (_ONE if j == label else _ZERO)
    return math.log(total) - (logits[label] - most)
