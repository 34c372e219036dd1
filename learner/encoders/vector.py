"""Vectors: running standardisation, and thermometer codes beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner import encoding_kernels
from learner.encoders.protocol import EncoderState, Input

LEVELS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
"""Thermometer levels, in running standard deviations from the running mean."""
_LEVELS = np.array(LEVELS)

MOST = 4.0
"""Standardised values are cut here, in standard deviations."""


@dataclass(frozen=True, slots=True)
class VectorEncoder:
    """Running standardisation, and beside it thermometer codes of +-1 at seven levels.

    s = (x - mean)/deviation, cut to +-4; code_l = +1 where s > level_l, else -1. A field that has not varied yet gives
    s = x - mean. Mean and deviation are Welford's, over the inputs learned so far.

    Args:
        dim: length of a vector, >= 1.

    Raises:
        ValueError: where `dim` is below 1.

    Example:
        >>> encoder = VectorEncoder(1)
        >>> state = encoder.start()
        >>> for value in (1.0, 2.0, 3.0):
        ...     state = encoder.learn(state, np.array([value], dtype=np.float32))
        >>> [round(float(f), 3) for f in encoder.encode(state, np.array([3.0], dtype=np.float32))]
        [1.225, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0]
    """

    dim: int

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ValueError(f"dim must be >= 1, got {self.dim}")

    @property
    def features(self) -> int:
        """D = dim * 8: the standardised value and seven levels."""
        return self.dim * (1 + len(LEVELS))

    def start(self) -> EncoderState:
        """Return (count [1], mean [dim], sum of squared deviations [dim]) of nothing, float64."""
        zeros = torch.zeros(self.dim, dtype=torch.float64)
        return (torch.zeros(1, dtype=torch.float64), zeros, zeros)

    def learn(self, state: EncoderState, x: Input) -> EncoderState:
        """Return the running moments with one more vector."""
        count, mean, squares = (part.numpy() for part in state)
        moved, more = encoding_kernels.with_one_more(_float32(x), count[0] + 1.0, mean, squares)
        return (torch.from_numpy(count + 1.0), torch.from_numpy(moved), torch.from_numpy(more))

    def encode(self, state: EncoderState, x: Input) -> Tensor:
        """Return the features [D] of a vector [dim]."""
        count, mean, squares = (part.numpy() for part in state)
        scaled = encoding_kernels.standardised(_float32(x), count[0], mean, squares, MOST)
        return torch.from_numpy(encoding_kernels.thermometer(scaled, _LEVELS))

    @property
    def bits(self) -> int:
        """Z = dim * 7: one bit for each level."""
        return self.dim * len(LEVELS)

    def code(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the thermometer's bits [Z] of features [D]."""
        return (features.numpy()[self.dim :] > 0.0).astype(np.uint8)

    def decode(
        self,
        state: EncoderState,  # noqa: ARG002 - the protocol's signature
        codes: NDArray[np.uint8],
    ) -> NDArray[np.float32]:
        """Return features [R, D] of codes [R, Z]: each value is the middle of its step, 2 at the ends."""
        passed = codes.reshape(len(codes), len(LEVELS), self.dim).sum(axis=1)
        steps = np.array([LEVELS[0] - 0.25, *((np.array(LEVELS[1:]) + LEVELS[:-1]) / 2.0), LEVELS[-1] + 0.25])
        return np.concatenate([steps[passed], 2.0 * codes - 1.0], axis=1).astype(np.float32)


def _float32(x: Input) -> NDArray[np.float32]:
    return np.ascontiguousarray(x, dtype=np.float32)
