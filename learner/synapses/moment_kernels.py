"""Compiled kernels of one synapse's numbers: mean, relaxed moments and their slopes, in float32.

The reference is `posterior`. Everything here is elementwise: bits depend on the synapse's own lambda alone.

tanh is lambda p/q with polynomials p, q of lambda^2, and one division 1/(p q a^2) gives all that the moments need:
t = lambda p/q, the ratio a/b = q/p, and 1/a^2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled

Array = NDArray[np.float32]

_LAM_FLOOR = np.float32(0.05)
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
# C and F of `moments` on a^2 <= .36, Chebyshev fits: errors 3e-9.
_C = tuple(
    np.float32(c) for c in (0.3333333307459538, -0.022221991062385555, 0.0021131642267007995, -0.00019700335983811445)
)
_F = tuple(
    np.float32(c) for c in (-0.04444444186672776, 0.008465377932834136, -0.0012666066264987205, 0.00015635010812170582)
)
# cosh^2 x in powers of x^2, fitted so that its inverse is right to 1.1e-6 on |x| <= 9.1.
_COSH = tuple(
    np.float32(c) for c in (0.9999989909421686, 1.000034343402689, 0.3331798165349461, 0.0446560899254972,
                            0.0030576106539737424, 0.00016989744423106387, 1.0688482954200674e-06,
                            2.3999423272667366e-07)
)  # fmt: skip
_SERIES_END = np.float32(0.36)
_X_MOST = np.float32(9.1)


@compiled
def _p(u: Number) -> Number:
    w = u * u
    return (_P[4] * w + (_P[3] * u + _P[2])) * w + (_P[1] * u + _P[0])


@compiled
def _q(u: Number) -> Number:
    w = u * u
    return (_Q[4] * w + (_Q[3] * u + _Q[2])) * w + (_Q[1] * u + _Q[0])


@compiled
def _tanh(lam: Number) -> Number:
    x = min(max(lam, -_X_MOST), _X_MOST)
    u = x * x
    return min(max(x * (_p(u) / _q(u)), -_ONE), _ONE)


@compiled
def means(lam: Array) -> Array:
    """Return t = tanh(lambda), [D, H], to 4e-7."""
    t = np.empty_like(lam)
    for d in range(lam.shape[0]):
        for h in range(lam.shape[1]):
            t[d, h] = _tanh(lam[d, h])
    return t


@compiled
def gather_means(lam: Array, inputs: NDArray[np.int64]) -> Array:
    """Return the `means` of the synapses of `inputs` [A], [A, H]."""
    gathered = np.empty((inputs.size, lam.shape[1]), np.float32)
    for a in range(inputs.size):
        gathered[a] = lam[inputs[a]]
    t: Array = means(gathered)
    return t


@compiled
def fill_moments(lam: Array, t: Array, by_m: Array, by_v: Array, m: Array, v: Array) -> None:
    """Write t, dm/dlambda, dv/dlambda and the relaxed moments m, v of a run of synapses [N].

    With a = max(|lambda|, .05) and r = a/b: C = (r - 1)/a^2, E = 1 - C (r + 1), F = (E - C)/a^2 = (1 - C (r + 2))/a^2;
    m = lambda (C + E), k = 1 - lambda^2 E, v = E k, dm = 2 C k, dv = -2 k lambda (F + 2 C E). Below a = .6 the
    differences cancel in float32, so C and F are polynomials in a^2 there.
    """
    for n in range(lam.size):
        x = lam[n]
        a = max(abs(x), _LAM_FLOOR)
        u = a * a
        held = min(max(x, -_X_MOST), _X_MOST)
        p, q = _p(held * held), _q(held * held)
        inverse = _ONE / (p * q * u)
        t[n] = min(max(held * p * (inverse * p * u), -_ONE), _ONE)
        per_u = inverse * p * q
        far_c = ((a if a > _X_MOST else q * (inverse * q * u)) - _ONE) * per_u
        near = u < _SERIES_END
        c = ((_C[3] * u + _C[2]) * u + _C[1]) * u + _C[0] if near else far_c
        ratio = _ONE + c * u
        f = ((_F[3] * u + _F[2]) * u + _F[1]) * u + _F[0] if near else (_ONE - c * (ratio + _TWO)) * per_u
        e = _ONE - c * (ratio + _ONE)
        k = _ONE - x * x * e
        m[n] = x * (_ONE - c * ratio)
        v[n] = e * k
        by_m[n] = _TWO * c * k
        by_v[n] = -_TWO * k * x * (f + _TWO * c * e)


@compiled
def fill_forgotten(
    lam: Array, first: int, end: int, settings: tuple[Number, Number, Number, Number], out: Array, moved: Array
) -> None:
    """Write rows first … end - 1 of a layer [D, H] after a step without gradient; add the steps' sizes to moved [H].

    step = c_KL max(s, f) lambda/N / (c_KL s + 1/lr_max) with s = 1 - tanh^2 lambda = 1/cosh^2 lambda, so
    step = c_KL max(1, f cosh^2 lambda) lambda/N / (c_KL + cosh^2(lambda)/lr_max).

    Args:
        lam: natural parameters.
        first: the first input meant.
        end: the first after them.
        settings: c_KL, 1/N, 1/lr_max, f (the pull's floor); K/N where the prior pulls at every K-th update.
        out: written.
        moved: sums of |step|.
    """
    pull, per_window, per_most, floor = settings
    rate = pull * per_window
    for d in range(first, end):
        for h in range(moved.size):
            x = min(max(lam[d, h], -_X_MOST), _X_MOST)
            square = _cosh_square(x * x)
            step = rate * lam[d, h] * max(_ONE, floor * square) / (pull + per_most * square)
            out[d, h] = lam[d, h] - step
            moved[h] += abs(step)


@compiled
def _cosh_square(u: Number) -> Number:
    # In pairs, so that little waits for another result.
    w = u * u
    low = (_COSH[3] * u + _COSH[2]) * w + (_COSH[1] * u + _COSH[0])
    high = (_COSH[7] * u + _COSH[6]) * w + (_COSH[5] * u + _COSH[4])
    return high * (w * w) + low
