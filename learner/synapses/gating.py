"""What the option `gate` does to a network: it sees a code in place of its input, or may use only some of its units.

Shapes: B batch, D features, H hidden, S passes, U units of the sparse code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import torch
from torch import Tensor

from learner.synapses.engram_gate import SparseCode, StochasticGate
from learner.synapses.moment_kernels import Array
from learner.synapses.network import Layers

Gate = Literal["none", "stochastic", "sparse_code"]
GATES: tuple[Gate, ...] = get_args(Gate)


@dataclass(frozen=True, slots=True)
class Gating:
    """The gates of one network; where both parts are None, inputs and units are left as they are.

    Args:
        features: D.
        code: stands for the input.
        opening: opens and shuts hidden units.
    """

    features: int
    code: SparseCode | None = None
    opening: StochasticGate | None = None

    @property
    def width(self) -> int:
        """How many numbers the network sees of an input: D, or U of a code."""
        return self.code.units if self.code else self.features

    @property
    def constant(self) -> float:
        """Size of the network's constant input: sqrt(D), or for a code the length sqrt(k) that every code has."""
        return math.sqrt(self.code.winners if self.code else self.features)

    @property
    def signs(self) -> int:
        """How many fixed random signs the gates hold, a byte each."""
        if self.code is not None:
            return self.features * self.code.units
        return self.opening.signs if self.opening else 0

    def seen(self, x: Tensor) -> Tensor:
        """Return what the network sees of inputs x [B, D]."""
        return torch.from_numpy(self.code.code(x.float().cpu().numpy())) if self.code else x

    def seen_array(self, x: Array) -> Array:
        """Return the same as `seen`, of an array."""
        return self.code.code(x) if self.code else x

    def learning(self, x: Tensor, *, passes: int, counter: int) -> Layers:
        """Return the gates of each hidden layer [S, B, H] for one update; () where there are none."""
        if self.opening is None:
            return ()
        opened = self.opening.learning(x.float().cpu().numpy(), passes=passes, counter=counter)
        return tuple(torch.from_numpy(layer) for layer in opened)

    def scoring(self, inputs: Tensor, *, votes: int) -> Layers:
        """Return the gates of each hidden layer [S, H] for predicting of one input, constant and all; () if none."""
        if self.opening is None:
            return ()
        opened = self.opening.scoring(inputs[None, : self.features].float().cpu().numpy(), votes=votes)
        return tuple(torch.from_numpy(layer[0]) for layer in opened)


@lru_cache(maxsize=256)
def gating(gate: Gate, features: int, hidden: tuple[int, ...], seed: int) -> Gating:
    """Return the gates of a network with D features and these hidden layers.

    Raises:
        ValueError: where `gate` is none of "none", "stochastic", "sparse_code".

    Example:
        >>> gating("sparse_code", 784, (256,), 0).width, gating("none", 784, (256,), 0).width
        (4096, 784)
    """
    if gate not in GATES:
        raise ValueError(f"gate must be one of {', '.join(GATES)}, got {gate!r}")
    if gate == "sparse_code":
        return Gating(features, code=SparseCode(features, seed=seed))
    if gate == "stochastic" and hidden:
        return Gating(features, opening=StochasticGate(features, hidden, seed=seed))
    return Gating(features)
