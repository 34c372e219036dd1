"""A committee of binary networks drawn from the posterior, one bit for each weight.

Member s has weights w in {-1, +1}, drawn once: w = +1 where u < P(w = +1) = sigmoid(2 lambda), u uniform on (0, 1) and
keyed by (seed, s). Its passes need no noise: the committee's disagreement is that of its members.

It holds the network alone: neither the memories beside it nor the encoder before it, which `c_encoding` writes for C.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from learner.exporting import integers
from learner.exporting.integers import Bytes, Singles, Whole
from learner.noise import Purpose, uniform
from learner.state import LearnerState
from learner.synapses.classifier import BiMU
from learner.synapses.fixed_point import reals

FORMAT = "engram.committee/1"
"""Name and version of what `PackedCommittee.arrays` holds."""

_TILE = 256
"""Rows scored together; the result does not depend on it."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedCommittee:
    """S binary networks that need neither torch nor a floating-point unit up to their logits.

    Attributes:
        classes: names, in the order of the logits; at least one.
        sizes: [D, with the constant input where there is one; hidden sizes; C].
        weights: packed bits of each layer [S, fan_out, ceil(fan_in/8)], as `integers` has them.
        constant_input: whether an input of sqrt(D) stands behind the features.
        scale: logits = scale z; 0 means the norm on them.
        seq: number of the last log entry that the network had learned.

    Raises:
        ValueError: where the parts do not fit together.
    """

    classes: tuple[str, ...]
    sizes: tuple[int, ...]
    weights: tuple[Bytes, ...]
    constant_input: bool
    scale: float
    seq: int

    def __post_init__(self) -> None:
        if not self.classes or self.sizes[-1] != len(self.classes):
            raise ValueError(f"classes must name each of {self.sizes[-1]} outputs, at least one, got {self.classes}")
        if any(size > integers.WIDEST for size in self.sizes[1:-1]):
            raise ValueError(f"every hidden size must be <= {integers.WIDEST}, got {self.sizes[1:-1]}")
        shapes = [(self.members, fan_out, (fan_in + 7) // 8) for fan_in, fan_out in pairwise(self.sizes)]
        if [layer.shape for layer in self.weights] != shapes or any(layer.dtype != np.uint8 for layer in self.weights):
            raise ValueError(f"weights must be bytes {shapes}, got {[layer.shape for layer in self.weights]}")

    @property
    def members(self) -> int:
        """S."""
        return len(self.weights[0]) if self.weights else 0

    @property
    def features(self) -> int:
        """How many features a sample has, without the constant input."""
        return self.sizes[0] - int(self.constant_input)

    @property
    def nbytes(self) -> int:
        """Size of all weights in bytes."""
        return sum(layer.nbytes for layer in self.weights)

    @property
    def unit(self) -> float:
        """What 1 in the last layer's sums stands for: a step of the inputs where there is no hidden layer."""
        return 1.0 if len(self.weights) > 1 else 1.0 / integers.STEPS

    def inputs(self, x: Singles) -> Whole:
        """Return quantised inputs [R, D] of features [R, features], with the constant input where there is one."""
        if x.ndim != 2 or x.shape[1] != self.features:
            raise ValueError(f"x must be [R, {self.features}], got {x.shape}")
        if not self.constant_input:
            return integers.quantised(x)
        constant = np.full((len(x), 1), math.sqrt(self.features), np.float32)
        return integers.quantised(np.concatenate([x, constant], axis=1))

    def votes(self, x: Singles) -> Singles:
        """Return the logits [R, S, C], float32, of features [R, features], finite.

        Example:
            >>> weights = (np.array([[[0b01], [0b10]]], np.uint8),)
            >>> committee = PackedCommittee(("a", "b"), (2, 2), weights, False, 1.0, 0)
            >>> committee.votes(np.array([[1.0, 0.5]], np.float32)).tolist()
            [[[0.5, -0.5]]]
        """
        logits = np.empty((len(x), self.members, len(self.classes)), np.float32)
        for first in range(0, len(x), _TILE):
            inputs = self.inputs(x[first : first + _TILE])
            for member in range(self.members):
                logits[first : first + _TILE, member] = self._one(inputs, member)
        return logits

    def probabilities(self, x: Singles) -> NDArray[np.float64]:
        """Return mean_s softmax(logits_s) [R, C] of features [R, features]."""
        logits = self.votes(x).astype(np.float64)
        raised = np.exp(logits - logits.max(axis=2, keepdims=True))
        mean: NDArray[np.float64] = (raised / raised.sum(axis=2, keepdims=True)).mean(axis=1)
        return mean

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays by name, which `numpy.savez` writes without pickling."""
        layers = {f"layer_{index}": layer for index, layer in enumerate(self.weights)}
        return {
            "format": np.array(FORMAT),
            "classes": np.array(self.classes),
            "sizes": np.array(self.sizes, np.int64),
            "constant_input": np.array(self.constant_input),
            "scale": np.array(self.scale, np.float64),
            "seq": np.array(self.seq, np.int64),
            **layers,
        }

    @classmethod
    def of_arrays(cls, found: Mapping[str, NDArray[Any]]) -> PackedCommittee:
        """Return the committee whose `arrays` these are, as `numpy.load(..., allow_pickle=False)` gives them.

        Raises:
            ValueError: where they are not a committee that this version can read.
        """
        try:
            if str(found["format"]) != FORMAT:
                raise ValueError(f"format must be {FORMAT}, got {found['format']}")
            sizes = tuple(int(size) for size in found["sizes"])
            return cls(
                classes=tuple(str(name) for name in found["classes"]),
                sizes=sizes,
                weights=tuple(found[f"layer_{index}"] for index in range(len(sizes) - 1)),
                constant_input=bool(found["constant_input"]),
                scale=float(found["scale"]),
                seq=int(found["seq"]),
            )
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"not a packed committee: {error}") from error

    def _one(self, inputs: Whole, member: int) -> Singles:
        sums = integers.weighted_sums(self.weights[0][member], inputs)
        for layer in self.weights[1:]:
            sums = integers.gated_sums(layer[member], integers.open_gates(sums))
        return integers.finished(sums, self.unit, self.scale)


def pack(network: BiMU, state: LearnerState, *, members: int = 16) -> PackedCommittee:
    """Return a committee of `members` binary networks, drawn from what `network` has learned.

    Equal state and seed give equal bits, and a larger committee begins with the members of a smaller one.

    Args:
        network: the learner's network; gives the seed.
        state: what was learned; at least one class.
        members: S, >= 1.

    Raises:
        ValueError: where `members` is below 1, no class is known, a hidden layer is wider than 65,536, or the network
            has gates, which the export does not know.

    Source:
        arXiv 2605.30198: P(w = +1) = sigmoid(2 lambda).

    Example:
        >>> from learner.building import build
        >>> learner = build({"kind": "vector", "dim": 2}, seed=7)
        >>> committee = pack(learner.network, learner.start(("a", "b")), members=3)
        >>> committee.sizes, committee.nbytes
        ((17, 256, 2), 2496)
    """
    if members < 1:
        raise ValueError(f"members must be >= 1, got {members}")
    if network.gate != "none":
        raise ValueError(f"gate must be 'none' to be packed, got {network.gate!r}")
    return PackedCommittee(
        classes=state.classes,
        sizes=(network.inputs, *network.hidden, len(state.classes)),
        weights=tuple(_drawn(network.seed, lane, lam, members) for lane, lam in enumerate(reals(state.layers))),
        constant_input=network.constant_input,
        scale=network.scale,
        seq=state.seq,
    )


def _drawn(seed: int, lane: int, lam: Tensor, members: int) -> Bytes:
    """Return packed weights [S, fan_out, ceil(fan_in/8)] of one layer, lambda [fan_in, fan_out]."""
    likely = 1.0 / (1.0 + np.exp(-2.0 * lam.detach().cpu().numpy().astype(np.float64).T))
    packed = np.empty((members, likely.shape[0], (likely.shape[1] + 7) // 8), np.uint8)
    for member in range(members):
        u = uniform(seed, member, Purpose.EXPORT, likely.size, lane=lane).reshape(likely.shape)
        packed[member] = np.packbits(u < likely, axis=1, bitorder="little")
    return packed
