"""One relaxed update by the compiled kernels, for any number of layers, in one call."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.noise_kernels import normals
from learner.synapses import activation_kernels
from learner.synapses.kernels import forward, input_gradient, spread_gradient, update
from learner.synapses.moment_kernels import Array

_ZERO = np.float32(0.0)
_loss_gradient, _gate_forward = activation_kernels.loss_gradient, activation_kernels.gate_forward
_gate_backward = activation_kernels.gate_backward


@compiled
def relaxed_update(
    layers: tuple[Array, ...],
    x: Array,
    labels: NDArray[np.int64],
    weights: Array,
    key: tuple[Number, Number, Number],
    rule: Array,
    scale: Number,
    learned: tuple[Array, ...],
) -> tuple[Number, Number]:
    """Write the layers after one update by local reparameterisation with relaxed moments.

    Args:
        layers: lambda of each layer [fan_in, fan_out], float32, left as they are unless they are `learned` itself.
        x: inputs [R, D], float32.
        labels: class index of each row [R].
        weights: weight of each row in the loss [R], float32.
        key: of the noise: seed, counter and purpose, uint64; the lane is the layer's number.
        rule: lr, c_L, c_KL, N, lr_max, floor of the pull, K, float32: the prior pulls where K divides the counter.
        scale: logits = scale z; 0 means the published norm on the logits.
        learned: written, shaped as `layers`.

    Returns:
        The loss in bits before the update, and the sum of |step| over all synapses.

    Example:
        >>> lam, learned = (np.zeros((3, 2), np.float32),), (np.empty((3, 2), np.float32),)
        >>> x, labels, weights = np.ones((1, 3), np.float32), np.array([0]), np.ones(1, np.float32)
        >>> key, rule = tuple(np.zeros(3, np.uint64)), np.array([1, 1, 1, 100, 1, 0, 1], np.float32)
        >>> loss_bits, moved = relaxed_update(lam, x, labels, weights, key, rule, 0.1, learned)
        >>> bool(learned[0][0, 0] > 0 > learned[0][0, 1]), bool(loss_bits > 0.0)
        (True, True)
    """
    rows, inputs = x.shape[0], [x]
    noise = [_noise(key, lane, rows, layers[lane].shape[1]) for lane in range(len(layers))]
    z, spread = np.empty((rows, layers[0].shape[1]), np.float32), np.empty((rows, layers[0].shape[1]), np.float32)
    reached, spreads = [forward(layers[0], x, noise[0], 0, z, spread)], [spread]
    normed, deviations = [z], [spread[:, 0].copy()]
    for index in range(1, len(layers)):
        deviations[index - 1] = np.empty(rows, np.float32)
        inputs.append(_gate_forward(z, z, deviations[index - 1]))
        width = layers[index].shape[1]
        z, spread = np.empty((rows, width), np.float32), np.empty((rows, width), np.float32)
        reached.append(forward(layers[index], inputs[index], noise[index], 1, z, spread))
        spreads.append(spread)
        normed.append(z)
        deviations.append(spread[:, 0].copy())
    grad = np.empty_like(z)
    loss_bits, moved = _loss_gradient(z, labels, weights, scale, grad), 0.0
    per_window = rule[6] / rule[3] if pulls(key[1], rule) else _ZERO
    for index in range(len(layers) - 1, -1, -1):
        by_variance = spread_gradient(grad, noise[index], spreads[index])
        moved += update(
            layers[index], inputs[index], grad, by_variance, reached[index], rule, per_window, learned[index]
        )
        if index:
            by_x = input_gradient(inputs[index], grad, by_variance, reached[index])
            grad = _gate_backward(by_x, normed[index - 1], deviations[index - 1])
    return loss_bits, moved


@compiled
def relaxed_updates(
    layers: tuple[Array, ...],
    x: Array,
    labels: NDArray[np.int64],
    key: tuple[Number, Number, Number],
    rule: Array,
    scale: Number,
    learned: tuple[Array, ...],
    spare: tuple[Array, ...],
) -> tuple[Number, Number]:
    """Write the layers after one update for each row of x [R, D] in turn; return the sums of their losses and steps.

    As `relaxed_update` of one row after the other, to the bit. Row r has the noise of counter + r; `spare` is shaped as
    `learned`, and written too.
    """
    weight, loss_bits, moved, before, turns = np.ones(1, np.float32), 0.0, 0.0, layers, 0
    for r in range(1, x.shape[0]):
        turns += int(pulls(key[1] + np.uint64(r), rule))
    for r in range(x.shape[0]):
        at = (key[0], key[1] + np.uint64(r), key[2])
        # Where the prior pulls, every synapse is written, quickest into other layers; else few are, in place. The last
        # turn is that of `learned`.
        if r and pulls(at[1], rule):
            turns -= 1
        after = spare if turns % 2 else learned
        loss, size = relaxed_update(before, x[r : r + 1], labels[r : r + 1], weight, at, rule, scale, after)
        loss_bits, moved, before = loss_bits + loss, moved + size, after
    return loss_bits, moved


@compiled
def pulls(counter: Number, rule: Array) -> bool:
    """Return whether the prior pulls at this update: where K divides its number."""
    return bool(counter % np.uint64(rule[6]) == np.uint64(0))


@compiled
def _noise(key: tuple[Number, Number, Number], lane: int, rows: int, units: int) -> Array:
    noise: Array = normals(key[0], key[1], key[2], np.uint64(lane), rows * units).reshape(rows, units)
    return noise
