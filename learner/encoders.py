"""From inputs to features: what the network sees of a vector or an image.

An encoder's state changes only in `learn`, with the sample whose label is learned; encoding is pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Input = NDArray[np.float32] | NDArray[np.uint8]
EncoderState = tuple[Tensor, ...]

LEVELS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
"""Thermometer levels, in running standard deviations from the running mean."""


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
        count, mean, squares = state
        value = torch.from_numpy(x.astype(np.float64))
        count = count + 1.0
        moved = mean + (value - mean) / count
        return (count, moved, squares + (value - mean) * (value - moved))

    def encode(self, state: EncoderState, x: Input) -> Tensor:
        """Return the features [D] of a vector [dim]."""
        count, mean, squares = state
        variance = squares / count.clamp(min=1.0)
        deviation = torch.where(variance > 0.0, variance.sqrt(), torch.ones_like(variance))
        scaled = ((torch.from_numpy(x.astype(np.float64)) - mean) / deviation).clamp(-4.0, 4.0)
        levels = torch.tensor(LEVELS, dtype=torch.float64)[:, None]
        codes = torch.where(scaled > levels, 1.0, -1.0).flatten()
        return torch.cat([scaled, codes]).to(torch.float32)


@dataclass(frozen=True, slots=True)
class ImageEncoder:
    """Pixels 0 … 255 of an image, flattened and standardised with one running mean and deviation of all pixels.

    f = (x - mean)/deviation over every pixel of every image learned so far, so that the common background is near 0
    and adds little noise. Before the first image, and while all pixels were equal, f = x/127.5 - 1.

    Args:
        width, height: in pixels, >= 1.
        channels: 1 (grey) or 3 (red, green, blue).

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> encoder = ImageEncoder(2, 1, 1)
        >>> image = np.array([[[0], [255]]], dtype=np.uint8)
        >>> encoder.encode(encoder.learn(encoder.start(), image), image).tolist()
        [-1.0, 1.0]
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
        """Return (sum of pixels, sum of squared pixels, count of pixels) of nothing, int64 [3]."""
        return (torch.zeros(3, dtype=torch.int64),)

    def learn(self, state: EncoderState, x: Input) -> EncoderState:
        """Return the running sums with one more image; they are whole numbers, so nothing is ever rounded."""
        pixels = x.astype(np.int64)
        return (state[0] + torch.tensor([int(pixels.sum()), int((pixels * pixels).sum()), pixels.size]),)

    def encode(self, state: EncoderState, x: Input) -> Tensor:
        """Return the features [D] of an image [height, width, channels]."""
        total, squares, count = (int(number) for number in state[0])
        # count^2 times the variance, exactly.
        spread = squares * count - total * total
        mean, deviation = (total / count, math.sqrt(spread) / count) if spread > 0 else (127.5, 127.5)
        return torch.from_numpy(((x.reshape(-1).astype(np.float64) - mean) / deviation).astype(np.float32))
