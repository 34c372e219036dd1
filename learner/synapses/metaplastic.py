"""Metaplastic binarised synapses: Adam whose steps towards zero grow small where a hidden weight is large.

A synapse's weight in use is the sign of a hidden real weight W, so a step towards zero is the one that may flip it.
Such a step is multiplied by f(W) = 1 - tanh^2(m |W|). Whether a step leads towards zero is asked of the optimiser's
first moment, not of the gradient at hand.

==========  ==================
symbol      name here
==========  ==================
W           `hidden`
m           `metaplasticity`
==========  ==================

Source: the binarised network of arXiv 2003.03533, as arXiv 2503.21436 uses it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-8


class Moments(NamedTuple):
    """Adam's running means of the gradient and of its square, shaped like the weights."""

    first: Tensor
    second: Tensor


def metaplastic_factor(hidden: Tensor, metaplasticity: float) -> Tensor:
    """Return f(W) = 1 - tanh^2(m |W|), in (0, 1], shaped like W.

    Args:
        hidden: W, any shape, any finite value.
        metaplasticity: m >= 0; 0 means no metaplasticity.

    Raises:
        ValueError: where m is negative.

    Source:
        arXiv 2503.21436, the metaplasticity regulator.

    Example:
        >>> [round(float(f), 4) for f in metaplastic_factor(torch.tensor([0.0, 0.1, -1.0]), 5.0)]
        [1.0, 0.7864, 0.0002]
    """
    if not metaplasticity >= 0.0:
        raise ValueError(f"metaplasticity must be >= 0, got {metaplasticity}")
    return 1.0 - torch.tanh(metaplasticity * hidden.abs()) ** 2


def adam_step(
    weights: Tensor, grad: Tensor, moments: Moments, *, number: int, lr: float, metaplasticity: float = 0.0
) -> tuple[Tensor, Moments]:
    """Return the weights and moments after one step of Adam, metaplastic where m > 0.

    With first' = .9 first + .1 g and second' = .999 second + .001 g^2::

        step = lr first' f / ((1 - .9^n) (sqrt(second'/(1 - .999^n)) + 1e-8))

    f = 1 - tanh^2(m |W|) where first' has W's sign, so that the step leads towards zero, else 1.

    Args:
        weights: W, any shape.
        grad: gradient by W, same shape.
        moments: of the steps before.
        number: n, this step's number, >= 1.
        lr: step size, > 0.
        metaplasticity: m >= 0.

    Example:
        >>> w, none = torch.tensor([0.5, 0.5]), Moments(torch.zeros(2), torch.zeros(2))
        >>> after, _ = adam_step(w, torch.tensor([1.0, -1.0]), none, number=1, lr=0.1, metaplasticity=5.0)
        >>> [round(float(one), 4) for one in after - w]
        [-0.0027, 0.1]
    """
    first = _FIRST * moments.first + (1.0 - _FIRST) * grad
    second = _SECOND * moments.second + (1.0 - _SECOND) * grad * grad
    along = first
    if metaplasticity:
        along = torch.where(first * weights > 0.0, first * metaplastic_factor(weights, metaplasticity), first)
    spread = (second / (1.0 - _SECOND**number)).sqrt() + _EPSILON
    return weights - lr / (1.0 - _FIRST**number) * along / spread, Moments(first, second)
