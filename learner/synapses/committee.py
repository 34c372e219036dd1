"""Who predicts: read-only committees of S passes over one version of a network, in torch and compiled."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from learner.synapses.moment_kernels import Array, means
from learner.synapses.network import Committee
from learner.synapses.scoring_kernels import committee_logits, logits_of_one, paired


class ReferenceCommittee:
    """Scores in torch, on any device: a committee behind the network's constant input."""

    def __init__(self, augment: Callable[[Tensor], Tensor], committee: Committee) -> None:
        self._augment = augment
        self._committee = committee

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits [S, B, C] of inputs [B, D]."""
        return self._committee.logits(self._augment(x))

    def votes(self, x: Array) -> Array:
        """Return the logits [B, S, C] of inputs [B, D]."""
        logits: Array = self.logits(torch.from_numpy(x)).transpose(0, 1).contiguous().float().cpu().numpy()
        return logits


class CompiledCommittee:
    """Scores by the compiled kernels; equal inputs get equal logits, to the bit, whatever else is in the batch.

    The first input that comes alone is scored with the means that it needs; whatever comes after has all of them made.
    """

    def __init__(
        self, augment: Callable[[Array], Array], layers: tuple[Array, ...], bank: tuple[Array, ...], scale: float
    ) -> None:
        self._augment = augment
        self._scale = scale
        self._bank = bank
        self._layers = layers
        self._means: tuple[Array, ...] = ()
        self._used = False

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits [S, B, C] of inputs [B, D]."""
        return torch.from_numpy(self.votes(x.float().numpy())).transpose(0, 1)

    def votes(self, x: Array) -> Array:
        """Return the logits [B, S, C] of inputs [B, D]."""
        inputs, used, self._used = self._augment(x), self._used, True
        if len(x) == 1 and not used:
            one: Array = logits_of_one(self._layers, self._bank, inputs, self._scale)
            return one
        if not self._means:
            first, *others = (means(lam) for lam in self._layers)
            self._means = (first, *map(paired, others))
        logits: Array = committee_logits(self._means, self._bank, inputs, self._scale)
        return logits
