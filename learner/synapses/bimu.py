"""The BiMU rule: how a gradient moves the belief about binary synapses without ever freezing it.

From the bounded-memory objective of BiMU (arXiv 2605.30198), one Newton-like step on
F = c_L E_q[NLL] + c_KL [(N-1)/N KL(q||q_prev) + 1/N KL(q||prior)] with prior lambda = 0.

==========  ==============================
symbol      name here
==========  ==============================
lambda      `lam`
c_L         `likelihood_multiplier`
c_KL        `kl_multiplier`
N           `memory_window`
lr          `lr`
lr_max      `lr_max`
f           `pull_floor` (not in the paper)
K           `pull_every` (not in the paper)
==========  ==============================
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PUBLISHED: dict[str, Any] = {"lr": 81.76, "lr_max": 0.017, "pull_floor": 0.0}
"""Where the paper's constants for one task differ from the defaults."""


@dataclass(frozen=True, slots=True)
class BiMURule:
    """The constants of the rule; the defaults suit one task of any size.

    Args:
        lr: step size, > 0.
        lr_max: bound of the step where the posterior is certain, > 0.
        likelihood_multiplier: c_L, weight of the data, > 0.
        kl_multiplier: c_KL, weight of the memory, > 0.
        memory_window: N, how many updates are remembered, > 1.
        pull_floor: f, the least factor of the pull to the prior, 0 … 1; 0 is the published rule.
        pull_every: K, at every how many updates the prior pulls, then K times as strongly, 1 <= K < N; 1 is the
            published rule. A pull moves lambda by some 10^-5 of itself, so that one strong one does what many weak ones
            do; between them inputs that are 0 cost next to nothing. With K > 1 the greatest pull, of what is certain,
            must not go beyond the prior: c_KL f lr_max K / N <= 1.

    Raises:
        ValueError: where a constant is out of its range.

    Example:
        >>> BiMURule(lr=0)
        Traceback (most recent call last):
        ...
        ValueError: lr must be > 0, got 0
    """

    lr: float = 160.0
    lr_max: float = 0.02
    likelihood_multiplier: float = 12.3
    kl_multiplier: float = 4.72
    memory_window: float = 6100.0
    pull_floor: float = 1.0
    pull_every: int = 1

    def __post_init__(self) -> None:
        for name in ("lr", "lr_max", "likelihood_multiplier", "kl_multiplier"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not self.memory_window > 1:
            raise ValueError(f"memory_window must be > 1, got {self.memory_window}")
        if not 0.0 <= self.pull_floor <= 1.0:
            raise ValueError(f"pull_floor must be in [0, 1], got {self.pull_floor}")
        if not 1 <= self.pull_every < self.memory_window:
            raise ValueError(
                f"pull_every must be >= 1 and below memory_window, {self.memory_window:g}, got {self.pull_every}"
            )
        most = self.kl_multiplier * self.pull_floor * self.lr_max / self.memory_window
        if self.pull_every > 1 and most * self.pull_every > 1.0:
            raise ValueError(
                f"pull_every must be at most {max(1, math.floor(1.0 / most))} with these constants, memory_window / "
                f"(kl_multiplier pull_floor lr_max), got {self.pull_every}"
            )

    def constants(self) -> NDArray[np.float32]:
        """Return lr, c_L, c_KL, N, lr_max, f, K, as the compiled kernels take them."""
        values = (self.lr, self.likelihood_multiplier, self.kl_multiplier, self.memory_window, self.lr_max)
        return np.array((*values, self.pull_floor, self.pull_every), np.float32)

    def delta(self, lam: Tensor, grad: Tensor, *, counter: int = 0) -> Tensor:
        """Return `bimu_delta` with these constants, at the update of that number: without pull between two pulls."""
        pulls = counter % self.pull_every == 0
        return bimu_delta(
            lam,
            grad,
            lr=self.lr,
            lr_max=self.lr_max,
            likelihood_multiplier=self.likelihood_multiplier,
            kl_multiplier=self.kl_multiplier,
            memory_window=self.memory_window / self.pull_every if pulls else math.inf,
            pull_floor=self.pull_floor,
        )


def bimu_delta(
    lam: Tensor,
    grad: Tensor,
    *,
    lr: float,
    lr_max: float,
    likelihood_multiplier: float,
    kl_multiplier: float,
    memory_window: float,
    pull_floor: float = 0.0,
) -> Tensor:
    """Return the step of the natural parameters for one gradient.

    With g = c_L * grad and t = tanh(lambda)::

        step = -(lr g + c_KL max(1 - t^2, f) lambda / N) / (c_KL (1 - t^2) + 2 g t + 2 |g| + 1/lr_max)

    As published, f = 0, and what is nearly certain is hardly pulled at all: where |g| is small the step's denominator
    is 1/lr_max, so the pull vanishes with 1 - t^2. A floor f keeps it, and no synapse of a stationary stream saturates.
    Where no synapse has a gradient nothing is forgotten either: the step is zero.

    Args:
        lam: natural parameters, any shape.
        grad: gradient of the summed negative log-likelihood by `lam`, before the multiplier, same shape.
        lr: step size, > 0.
        lr_max: bound of the step where the posterior is certain, > 0.
        likelihood_multiplier: c_L > 0.
        kl_multiplier: c_KL > 0.
        memory_window: N > 0, in updates; infinite: nothing is forgotten.
        pull_floor: f, 0 … 1.

    Returns:
        The step, shaped like `lam`.

    Raises:
        ValueError: where the shapes differ, or `lr_max` or `memory_window` is not positive.

    Source:
        arXiv 2605.30198, the update of the natural parameters.

    Example:
        >>> lam, grad = torch.tensor([0.5, -0.5]), torch.tensor([0.1, 0.0])
        >>> step = bimu_delta(
        ...     lam, grad, lr=1.0, lr_max=1.0, likelihood_multiplier=1.0, kl_multiplier=1.0, memory_window=100.0
        ... )
        >>> [round(float(x), 5) for x in step]
        [-0.04999, 0.0022]
    """
    if not (lr_max > 0.0 and memory_window > 0.0):
        raise ValueError(f"lr_max and memory_window must be > 0, got {lr_max} and {memory_window}")
    if lam.shape != grad.shape:
        raise ValueError(f"grad must have the shape of lam, {tuple(lam.shape)}, got {tuple(grad.shape)}")
    if not bool(grad.any()):
        return torch.zeros_like(lam)
    t = lam.tanh()
    g = likelihood_multiplier * grad
    unsure = 1.0 - t * t
    pull = kl_multiplier * unsure.clamp(min=pull_floor) * lam / memory_window
    return -(lr * g + pull) / (kl_multiplier * unsure + 2.0 * g * t + 2.0 * g.abs() + 1.0 / lr_max)
