"""Engram gates: which units an input may use at all.

Two kinds, both pure functions of the input, a seed and, where they are stochastic, a counter:

- *stochastic* (arXiv 2503.21436): a small encoder maps the input to a probability p = sigmoid(a) for every hidden unit;
  the unit's gate is 1 with that probability, else 0, and is multiplied onto the unit's activity.
- *sparse code*: of many units with fixed random signs, those that the input drives most are 1, all others 0.

Shapes: B batch, D features, H gated units, S passes, U units of the sparse code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from learner.noise import Purpose, uniform
from learner.synapses.gate_kernels import Signs, normed_sums, signed_sums, winners
from learner.synapses.moment_kernels import Array

ENCODER_SIZES = (512, 128, 64)
"""Layers of the stochastic gate's encoder, as published."""


@lru_cache(maxsize=64)
def _signs(seed: int, lane: int, fan_in: int, fan_out: int) -> Signs:
    """Return fixed signs [fan_in, fan_out]; equal keys give equal signs."""
    drawn = uniform(seed, 0, Purpose.GATE, fan_in * fan_out, lane=lane).reshape(fan_in, fan_out)
    return np.where(drawn < 0.5, np.int8(-1), np.int8(1))


@dataclass(frozen=True, slots=True)
class SparseCode:
    """A fixed random sparse code: of U units the k = round(share U) with the largest x s are 1, all others 0.

    s are fixed random signs. Similar inputs share winners, inputs of different classes share few: what is learned on
    the winners of one class is left alone by the others.

    Args:
        features: D, >= 1.
        units: U, >= 1.
        share: share of the units that win, in (0, 1].
        seed: key of the signs, 0 … 2^64 - 1.

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> code = SparseCode(features=3, units=50, share=0.1, seed=1)
        >>> z = code.code(np.array([[1.0, 0.0, 2.0], [2.0, 0.0, 4.0]], np.float32))
        >>> z.sum(axis=1).tolist(), bool((z[0] == z[1]).all())
        ([5.0, 5.0], True)
    """

    features: int
    units: int = 4096
    share: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("features", "units"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share must be in (0, 1], got {self.share}")

    @property
    def winners(self) -> int:
        """k, how many units win, at least 1."""
        return max(1, round(self.share * self.units))

    def code(self, x: Array) -> Array:
        """Return the code [B, U], 0 or 1, of inputs [B, D]."""
        signs = _signs(self.seed, 0, self.features, self.units)
        code: Array = winners(signed_sums(signs, np.ascontiguousarray(x, np.float32)), self.winners)
        return code


@dataclass(frozen=True, slots=True)
class StochasticGate:
    """A fixed random encoder and, for each hidden unit, a gate that is open with a probability of the input's own.

    e = relu(norm(s_3 relu(norm(s_2 relu(norm(s_1 x)))))), 512, 128 and 64 units;  a_l = slope norm(s_l e);
    p_l = sigmoid(a_l);  G_l = 1{u < p_l}, u uniform on (0, 1). s are fixed random signs, norm is a row less its mean,
    over its deviation. Nothing of it is learned, so it adds nothing to the state.

    Args:
        features: D, >= 1.
        hidden: H of each gated layer, >= 1.
        slope: how far the input decides, against chance, > 0.
        seed: key of signs and noise, 0 … 2^64 - 1.

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> gate = StochasticGate(features=3, hidden=(6,), seed=1)
        >>> (opened,) = gate.learning(np.ones((1, 3), np.float32), passes=2, counter=5)
        >>> opened.shape, sorted(set(opened.ravel().tolist()))
        ((2, 1, 6), [0.0, 1.0])
    """

    features: int
    hidden: tuple[int, ...]
    slope: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.features < 1:
            raise ValueError(f"features must be >= 1, got {self.features}")
        if any(size < 1 for size in self.hidden):
            raise ValueError(f"every hidden size must be >= 1, got {self.hidden}")
        if not self.slope > 0.0:
            raise ValueError(f"slope must be > 0, got {self.slope}")

    @property
    def signs(self) -> int:
        """How many fixed random signs encoder and gates have."""
        encoder = sum(fan_in * fan_out for fan_in, fan_out in pairwise((self.features, *ENCODER_SIZES)))
        return encoder + ENCODER_SIZES[-1] * sum(self.hidden)

    def drives(self, x: Array) -> tuple[Array, ...]:
        """Return a of each layer [B, H] for inputs x [B, D]."""
        sizes = (self.features, *ENCODER_SIZES)
        e = np.ascontiguousarray(x, np.float32)
        for lane, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            e = np.maximum(normed_sums(_signs(self.seed, lane, fan_in, fan_out), e), np.float32(0.0))
        heads = [_signs(self.seed, len(ENCODER_SIZES) + lane, sizes[-1], size) for lane, size in enumerate(self.hidden)]
        return tuple(np.float32(self.slope) * normed_sums(signs, e) for signs in heads)

    def probabilities(self, x: Array) -> tuple[NDArray[np.float64], ...]:
        """Return p of each layer [B, H] for inputs x [B, D]."""
        return tuple(1.0 / (1.0 + np.exp(-a.astype(np.float64))) for a in self.drives(x))

    def learning(self, x: Array, *, passes: int, counter: int) -> tuple[Array, ...]:
        """Return the gates [S, B, H] of each layer for update number `counter`, 0 … 2^64 - 1, on inputs x [B, D]."""
        shapes = [(passes, len(x), size) for size in self.hidden]
        drawn = [
            uniform(self.seed, counter, Purpose.GATE_LEARN, math.prod(shape), lane=lane).reshape(shape)
            for lane, shape in enumerate(shapes)
        ]
        return tuple(_opened(a[None], _logit(u)) for a, u in zip(self.drives(x), drawn, strict=True))

    def scoring(self, x: Array, *, votes: int) -> tuple[Array, ...]:
        """Return the gates [B, S, H] of each layer for predicting: every pass has its own u, one for all inputs."""
        banks = [_scoring_bank(self.seed, lane, size, votes) for lane, size in enumerate(self.hidden)]
        return tuple(_opened(a[:, None], bank) for a, bank in zip(self.drives(x), banks, strict=True))


@lru_cache(maxsize=64)
def _scoring_bank(seed: int, lane: int, units: int, votes: int) -> NDArray[np.float64]:
    return _logit(uniform(seed, 0, Purpose.GATE_SCORE, votes * units, lane=lane).reshape(votes, units))


def _logit(u: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(u / (1.0 - u)))


def _opened(drive: Array, least: NDArray[np.float64]) -> Array:
    """Return 1{u < sigmoid(a)} as 1{logit u < a}: no exponential of the input, whose last bit may vary."""
    return (least < drive).astype(np.float32)
