"""The belief about binary synapses, and its moments.

A synapse is a weight w in {-1, +1} with natural parameter lambda: P(w = +1) = sigmoid(2 lambda).

==========  ======================================================
symbol      name here
==========  ======================================================
lambda      `lam`
t           mean, E[w] = tanh(lambda)
1 - t^2     hard variance, Var[w]
m, v        mean and variance of the *relaxed* weight (`relaxed_moments`)
==========  ======================================================
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

_LAM_FLOOR = 0.05
_T_FLOOR = math.tanh(_LAM_FLOOR)


class RelaxedMoments(NamedTuple):
    """Mean, variance and their slopes by lambda, all shaped like lambda."""

    mean: Tensor
    variance: Tensor
    mean_slope: Tensor
    variance_slope: Tensor


def relaxed_moments(lam: Tensor) -> RelaxedMoments:
    """Return the moments of the relaxed weight tanh(lambda + logit(u)/2), u uniform on (0, 1), in closed form.

    With a = max(|lambda|, .05), b = max(|tanh lambda|, tanh .05), C = (a/b - 1)/a^2, E = 1/a^2 - 1/b^2 + 1 and
    k = 1 - lambda^2 E::

        m = lambda (C + E)        dm/dlambda = 2 C k
        v = E k                   dv/dlambda = -2 k lambda ((E - C)/a^2 + 2 C E)

    Args:
        lam: natural parameters, any shape, any finite value.

    Returns:
        Four tensors shaped like `lam`; mean in (-1, 1), variance in (0, 1/3].

    Example:
        >>> moments = relaxed_moments(torch.tensor([0.0, 0.5], dtype=torch.float64))
        >>> [round(float(x), 4) for x in (moments.mean[1], moments.variance[0], moments.variance[1])]
        [0.3226, 0.3332, 0.2921]
    """
    a = lam.abs().clamp(min=_LAM_FLOOR)
    b = lam.tanh().abs().clamp(min=_T_FLOOR)
    inverse_a2 = 1.0 / (a * a)
    c = (a / b - 1.0) * inverse_a2
    e = inverse_a2 - 1.0 / (b * b) + 1.0
    k = 1.0 - lam * lam * e
    return RelaxedMoments(
        mean=lam * (c + e),
        variance=e * k,
        mean_slope=2.0 * c * k,
        variance_slope=-2.0 * k * lam * ((e - c) * inverse_a2 + 2.0 * c * e),
    )


def hard_moments(lam: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean t = tanh(lambda) and variance 1 - t^2 of the binary weight itself.

    Example:
        >>> mean, variance = hard_moments(torch.zeros(1))
        >>> (float(mean), float(variance))
        (0.0, 1.0)
    """
    t = lam.tanh()
    return t, 1.0 - t * t


def entropy_bits(lam: Tensor) -> Tensor:
    """Return the entropy of each synapse in bits, 0 (certain) … 1 (a fair coin), shaped like `lam`.

    H = -p log2 p - (1-p) log2 (1-p) with p = sigmoid(2 lambda).

    Example:
        >>> float(entropy_bits(torch.zeros(1)))
        1.0
    """
    p = torch.sigmoid(2.0 * lam)
    q = torch.sigmoid(-2.0 * lam)
    return -(torch.xlogy(p, p) + torch.xlogy(q, q)) / torch.log(torch.tensor(2.0, dtype=lam.dtype, device=lam.device))
