"""Who predicts: read-only committees of S passes over one version of a network, in torch and compiled."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from learner.synapses.kernels import Array
from learner.synapses.network import Committee
from learner.synapses.scoring import committee_logits

Means = tuple[Array, ...]
"""tanh lambda of each layer, [fan_in, fan_out]."""


class ReferenceCommittee:
    """Scores in torch, on any device: a committee behind the network's constant input."""

    def __init__(self, augment: Callable[[Tensor], Tensor], committee: Committee) -> None:
        self._augment = augment
        self._committee = committee
        self.means: Means | None = None

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits [S, B, C] of inputs [B, D]."""
        return self._committee.logits(self._augment(x))

    def votes(self, x: Array) -> Array:
        """Return the logits [B, S, C] of inputs [B, D]."""
        logits: Array = self.logits(torch.from_numpy(x)).transpose(0, 1).contiguous().float().cpu().numpy()
        return logits


class CompiledCommittee:
    """Scores by the compiled kernels; equal inputs get equal logits, to the bit, whatever else is in the batch."""

    def __init__(self, augment: Callable[[Array], Array], means: Means, bank: tuple[Array, ...], scale: float) -> None:
        self._augment = augment
        self._scale = scale
        self._bank = bank
        self.means = means

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits [S, B, C] of inputs [B, D]."""
        return torch.from_numpy(self.votes(x.float().numpy())).transpose(0, 1)

    def votes(self, x: Array) -> Array:
        """Return the logits [B, S, C] of inputs [B, D]."""
        return committee_logits(self.means, self._bank, self._augment(x), self._scale)
