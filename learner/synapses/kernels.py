"""Compiled float32 kernels of one relaxed update, layer by layer: the fast path of `BiMU` on a CPU.

The reference is `network.relaxed_gradient` with `bimu.bimu_delta`; these give the same to 1e-5. What makes them repeat
to the bit: no reassociation (fastmath off), one thread, and inner loops over a layer's outputs, so that every output
adds its inputs in their order whatever the vector width.

A layer is walked row by row (one input, all outputs). A row stays in the nearest cache while its moments, gradient
and step are made, and an input of 0 costs no moments at all.

Shapes: R rows of the batch (S samples x B inputs, each with its own noise), D inputs, H outputs of a layer.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled

Array = NDArray[np.float32]

_LAM_FLOOR = np.float32(0.05)
_T_FLOOR = np.float32(math.tanh(0.05))
_VARIANCE_FLOOR = np.float32(1e-6)
_ZERO, _ONE, _TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)

# tanh x = x P(x^2)/Q(x^2) on |x| <= 9.1, fitted by reweighted least squares: relative error 2.3e-8 before rounding.
_P = tuple(
    np.float32(c) for c in (0.9999999774369668, 0.13374501690289, 0.00348784148901524, 2.048164770185222e-05,
                            1.3178082362126239e-08)
)  # fmt: skip
_Q = tuple(
    np.float32(c) for c in (1.0, 0.4670781555229298, 0.025847506994873048, 0.0003272968256924971,
                            7.704292242863671e-07)
)  # fmt: skip
# C and F of `_curves` on a^2 <= .36, Chebyshev fits: errors 3e-9.
_C = tuple(
    np.float32(c) for c in (0.3333333307459538, -0.022221991062385555, 0.0021131642267007995, -0.00019700335983811445)
)
_F = tuple(
    np.float32(c) for c in (-0.04444444186672776, 0.008465377932834136, -0.0012666066264987205, 0.00015635010812170582)
)
_SERIES_END = np.float32(0.36)
_X_MOST = np.float32(9.1)

_BLOCK = 64
"""Synapses stepped at a time in a run of silent rows."""


@compiled
def _tanh(x: Number) -> Number:
    x = min(max(x, -_X_MOST), _X_MOST)
    u = x * x
    p = x * ((((_P[4] * u + _P[3]) * u + _P[2]) * u + _P[1]) * u + _P[0])
    q = (((_Q[4] * u + _Q[3]) * u + _Q[2]) * u + _Q[1]) * u + _Q[0]
    return min(max(p / q, -_ONE), _ONE)


@compiled
def means(lam: Array) -> Array:
    """Return t = tanh(lambda), [D, H], to 4e-7."""
    t = np.empty_like(lam)
    for d in range(lam.shape[0]):
        for h in range(lam.shape[1]):
            t[d, h] = _tanh(lam[d, h])
    return t


@compiled
def forward(lam: Array, t: Array, x: Array, noise: Array, z: Array, spread: Array) -> None:
    """Write z = x m + spread e and spread = sqrt(max(x^2 v, 1e-6)), both [R, H], with the relaxed moments m, v.

    Args:
        lam: natural parameters [D, H].
        t: their means [D, H].
        x: inputs [R, D].
        noise: standard normal e [R, H].
        z: pre-activations [R, H], written.
        spread: their deviations [R, H], written.
    """
    width = lam.shape[1]
    m, v = np.empty(width, np.float32), np.empty(width, np.float32)
    z[:] = _ZERO
    spread[:] = _ZERO
    for d in range(lam.shape[0]):
        if _reaches(x, d):
            _mean_and_variance(lam[d], t[d], m, v)
            for r in range(x.shape[0]):
                if x[r, d] != _ZERO:
                    _add_row(x[r, d], m, v, z[r], spread[r])
    for r in range(x.shape[0]):
        for h in range(width):
            spread[r, h] = math.sqrt(max(spread[r, h], _VARIANCE_FLOOR))
            z[r, h] += spread[r, h] * noise[r, h]


@compiled
def _reaches(x: Array, d: int) -> bool:
    for r in range(x.shape[0]):  # noqa: SIM110 - a generator does not compile
        if x[r, d] != _ZERO:
            return True
    return False


@compiled
def _mean_and_variance(lam: Array, t: Array, m: Array, v: Array) -> None:
    for h in range(lam.size):
        _, c, e, ratio = _curves(lam[h], t[h])
        m[h] = lam[h] * (_ONE - c * ratio)
        v[h] = e * (_ONE - lam[h] * lam[h] * e)


@compiled
def _curves(lam: Number, t: Number) -> Number:
    """Return F = (E - C)/a^2, C, E and a/b of `posterior.relaxed_moments`.

    With r = a/b: C = (r - 1)/a^2, E = 1 - C (r + 1), F = (1 - C (r + 2))/a^2. Below |lambda| = .6 those differences
    cancel in float32, so C and F are polynomials in a^2 there.
    """
    a = max(abs(lam), _LAM_FLOOR)
    b = max(abs(t), _T_FLOOR)
    u = a * a
    both = _ONE / (b * u)
    inverse_u = b * both
    ratio = a * (u * both)
    near = u < _SERIES_END
    c = ((_C[3] * u + _C[2]) * u + _C[1]) * u + _C[0] if near else (ratio - _ONE) * inverse_u
    f = ((_F[3] * u + _F[2]) * u + _F[1]) * u + _F[0] if near else (_ONE - c * (ratio + _TWO)) * inverse_u
    return f, c, _ONE - c * (ratio + _ONE), ratio


@compiled
def _add_row(x: Number, m: Array, v: Array, z: Array, spread: Array) -> None:
    x2 = x * x
    for h in range(m.size):
        z[h] += x * m[h]
        spread[h] += x2 * v[h]


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
def update(
    lam: Array, t: Array, x: Array, grad: Array, by_variance: Array, rule: Array, learned: Array, by_x: Array
) -> Number:
    """Write the layer after one BiMU step and the gradient by its inputs; return the sum of |step|.

    Moments, gradient and step of a row are made while it is at hand, so lambda and t are read once and lambda is
    written once. Where no synapse has a gradient the layer stays as it is.

    Args:
        lam: natural parameters [D, H].
        t: their means [D, H].
        x: inputs [R, D].
        grad: gradient by the pre-activations [R, H].
        by_variance: gradient by their variances [R, H].
        rule: lr, c_L, c_KL, N, lr_max.
        learned: lambda after the step [D, H], written.
        by_x: gradient by the inputs [R, D] before the step, written; no columns where nobody asks.
    """
    if not (np.any(grad) and np.any(x)):
        learned[:] = lam
        by_x[:] = _ZERO
        return 0.0
    width, flat, flat_t, out = lam.shape[1], lam.reshape(-1), t.reshape(-1), learned.reshape(-1)
    g, g2 = np.empty(width, np.float32), np.empty(width, np.float32)
    moved, forgotten, silent = np.zeros(width, np.float32), np.zeros(_BLOCK, np.float32), 0
    for d in range(lam.shape[0]):
        if by_x.shape[1]:
            _mean_and_variance(lam[d], t[d], g, g2)
            _input_gradient(d, g, g2, x, grad, by_variance, by_x)
        if _reaches(x, d):
            begin, end, silent = silent * width, d * width, d + 1
            _forget(flat[begin:end], flat_t[begin:end], rule, out[begin:end], forgotten)
            _add_outer(d, x, grad, by_variance, g, g2)
            _by_lam(lam[d], t[d], g, g2)
            _step(lam[d], t[d], g, rule, learned[d], moved)
    begin = silent * width
    _forget(flat[begin:], flat_t[begin:], rule, out[begin:], forgotten)
    return _sum(moved) + _sum(forgotten)


@compiled
def _input_gradient(d: int, m: Array, v: Array, x: Array, grad: Array, by_variance: Array, by_x: Array) -> None:
    for r in range(x.shape[0]):
        by_mean, by_square = _ZERO, _ZERO
        for h in range(m.size):
            by_mean += grad[r, h] * m[h]
            by_square += by_variance[r, h] * v[h]
        by_x[r, d] = by_mean + _TWO * x[r, d] * by_square


@compiled
def _add_outer(d: int, x: Array, grad: Array, by_variance: Array, g: Array, g2: Array) -> None:
    g[:] = _ZERO
    g2[:] = _ZERO
    for r in range(x.shape[0]):
        if x[r, d] != _ZERO:
            _add_row(x[r, d], grad[r], by_variance[r], g, g2)


@compiled
def _by_lam(lam: Array, t: Array, g: Array, g2: Array) -> None:
    """Turn the gradients by mean `g` and by variance `g2` into that by lambda, in `g`."""
    for h in range(lam.size):
        f, c, e, _ = _curves(lam[h], t[h])
        k2 = _TWO * (_ONE - lam[h] * lam[h] * e)
        g[h] = g[h] * c * k2 - g2[h] * k2 * lam[h] * (f + _TWO * c * e)


@compiled
def _step(lam: Array, t: Array, g: Array, rule: Array, learned: Array, moved: Array) -> None:
    lr, likelihood, pull, per_window, inverse_most = rule[0], rule[1], rule[2], _ONE / rule[3], _ONE / rule[4]
    for h in range(lam.size):
        weighted = likelihood * g[h]
        held = pull * (_ONE - t[h] * t[h])
        step = (lr * weighted + held * lam[h] * per_window) / (
            held + _TWO * (weighted * t[h] + abs(weighted)) + inverse_most
        )
        learned[h] = lam[h] - step
        moved[h] += abs(step)


@compiled
def _forget(lam: Array, t: Array, rule: Array, learned: Array, moved: Array) -> None:
    """Step a run of neighbouring rows that no input reaches: only the pull of the prior."""
    pull, per_window, inverse_most = rule[2], _ONE / rule[3], _ONE / rule[4]
    for first in range(0, lam.size, _BLOCK):
        part, part_t, out = lam[first : first + _BLOCK], t[first : first + _BLOCK], learned[first : first + _BLOCK]
        for h in range(part.size):
            held = pull * (_ONE - part_t[h] * part_t[h])
            step = held * part[h] * per_window / (held + inverse_most)
            out[h] = part[h] - step
            moved[h] += abs(step)


@compiled
def _sum(values: Array) -> Number:
    total = 0.0
    for h in range(values.size):
        total += values[h]
    return total
