"""From inputs to features: what the network sees of a vector or an image.

An encoder's state changes only in `learn`, with the sample whose label is learned; encoding is pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner import encoding_kernels

Input = NDArray[np.float32] | NDArray[np.uint8]
EncoderState = tuple[Tensor, ...]

LEVELS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
"""Thermometer levels, in running standard deviations from the running mean."""
_LEVELS = np.array(LEVELS)

MOST = 4.0
"""Standardised values are cut here, in standard deviations."""


class Encoder(Protocol):
    """Turns one kind of input into features."""

    @property
    def features(self) -> int:
        """How many features an input has, D."""

    def start(self) -> EncoderState:
        """Return the state before any label."""

    def learn(self, state: EncoderState, x: Input) -> EncoderState:
        """Return the state after one more input."""

    def encode(self, state: EncoderState, x: Input) -> Tensor:
        """Return the features [D], float32, of one input."""

    @property
    def bits(self) -> int:
        """How many bits the code of an input has, Z."""

    def code(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the binary code [Z], 0 or 1, that the memory sees of features [D]."""

    def decode(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features [R, D] that codes [R, Z] stand for."""


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

    def decode(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return features [R, D] of codes [R, Z]: each value is the middle of its step, 2 at the ends."""
        passed = codes.reshape(len(codes), len(LEVELS), self.dim).sum(axis=1)
        steps = np.array([LEVELS[0] - 0.25, *((np.array(LEVELS[1:]) + LEVELS[:-1]) / 2.0), LEVELS[-1] + 0.25])
        return np.concatenate([steps[passed], 2.0 * codes - 1.0], axis=1).astype(np.float32)


def _float32(x: Input) -> NDArray[np.float32]:
    return np.ascontiguousarray(x, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class ImageEncoder:
    """Pixels 0 … 255 of an image, flattened and scaled to 0 … 1. It has no state.

    From 0, not from -1: a dark ground then costs the network nothing and says nothing, which is both faster and more
    accurate. Its code has one bit for each pixel: whether it is in the upper half.

    Args:
        width, height: in pixels, >= 1.
        channels: 1 (grey) or 3 (red, green, blue).

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> encoder = ImageEncoder(2, 1, 1)
        >>> encoder.encode((), np.array([[[0], [255]]], dtype=np.uint8)).tolist()
        [0.0, 1.0]
    """

    width: int
    height: int
    channels: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"width and height must be >= 1, got {self.width} and {self.height}")
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {self.channels}")

    @property
    def features(self) -> int:
        """D = width * height * channels."""
        return self.width * self.height * self.channels

    def start(self) -> EncoderState:
        """Return the empty state."""
        return ()

    def learn(self, state: EncoderState, x: Input) -> EncoderState:  # noqa: ARG002 - the protocol's signature
        """Return the state as it is: pixels need no running moments."""
        return state

    def encode(self, state: EncoderState, x: Input) -> Tensor:  # noqa: ARG002 - the protocol's signature
        """Return the features [D] of an image [height, width, channels]."""
        return torch.from_numpy(x.reshape(-1).astype(np.float32)) / 255.0

    @property
    def bits(self) -> int:
        """Z = D."""
        return self.features

    def code(self, features: Tensor) -> NDArray[np.uint8]:
        """Return which of the features [D] are above one half."""
        return (features.numpy() > 0.5).astype(np.uint8)

    def decode(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the codes [R, Z] as features [R, D]."""
        return codes.astype(np.float32)
