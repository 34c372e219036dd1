"""Images: pixels from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner import encoding_kernels as kernels
from learner.encoders.projection import projected
from learner.encoders.protocol import Decoding, EncoderState, Input
from learner.encoding_kernels import Reals

MOST_LEVELS = 63
"""The most thresholds of one pixel."""

Threshold = Literal["mean", "middle"]
"""Where the middle threshold of a pixel lies: at its picture's mean, or halfway between black and white."""


@dataclass(frozen=True, slots=True)
class ImageEncoder:
    """Pixels 0 … 255 of an image, flattened and scaled to 0 … 1. It has no state.

    From 0, not from -1: a dark ground then costs the network nothing and says nothing, which is both faster and more
    accurate. Its code has a bit for each level and pixel: whether the pixel's tone g is above l/(levels + 1),
    l = 1 … levels; by default one, the upper half. With m the picture's mean, tones are pixels stretched so that m
    comes to lie in the middle::

        g(p) = p/(2m) for p <= m,  1 - (1 - p)/(2 (1 - m)) above;  g(p) = p with threshold "middle"

    so with one level a dim copy of a picture has its code, and in a picture of a single shade no pixel is in the upper
    half; a negative has the opposite code with any levels. After these come the bits of a random sign projection of all
    pixels, where one is asked for; they tell of what pixels do together, and say nothing of a picture's brightness.

    Args:
        width, height: in pixels, >= 1.
        channels: 1 (grey) or 3 (red, green, blue).
        levels: thresholds of each pixel, 1 … 63.
        projection: bits of the random sign projection, >= 0.
        threshold: "mean", or "middle" for tones that are the pixels themselves.

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> encoder = ImageEncoder(2, 1, 1)
        >>> encoder.encode((), np.array([[[0], [255]]], dtype=np.uint8)).tolist()
        [0.0, 1.0]
        >>> dim = np.array([[[10], [40]]], dtype=np.uint8)
        >>> encoder.code(encoder.encode((), dim)).tolist()
        [0, 1]
    """

    width: int
    height: int
    channels: int
    levels: int = 1
    projection: int = 0
    threshold: Threshold = "mean"

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"width and height must be >= 1, got {self.width} and {self.height}")
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {self.channels}")
        if not 1 <= self.levels <= MOST_LEVELS:
            raise ValueError(f"levels must be in 1 … {MOST_LEVELS}, got {self.levels}")
        if self.projection < 0:
            raise ValueError(f"projection must be >= 0, got {self.projection}")
        if self.threshold not in get_args(Threshold):
            raise ValueError(f"threshold must be one of {', '.join(get_args(Threshold))}, got {self.threshold!r}")

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
        return torch.from_numpy(np.divide(self._flat(x[None])[0], np.float32(255.0), dtype=np.float32))

    def encode_many(self, state: EncoderState, xs: Sequence[Input] | Input) -> Tensor:  # noqa: ARG002
        """Return the features [B, D] of B images."""
        flat = self._flat(xs if isinstance(xs, np.ndarray) else np.stack(xs))
        return torch.from_numpy(np.divide(flat, np.float32(255.0), dtype=np.float32))

    def _flat(self, xs: NDArray[Any]) -> NDArray[Any]:
        if xs[:1].size != self.features:
            raise ValueError(f"an image must have {self.features} values, got {xs[:1].size}")
        return xs.reshape(len(xs), -1)

    def encode_each(self, state: EncoderState, xs: Sequence[Input] | Input) -> tuple[EncoderState, Tensor, Tensor]:
        """Return the state as it is, and twice the features [B, D] of B images: learning moves none."""
        features = self.encode_many(state, xs)
        return state, features, features

    @property
    def bits(self) -> int:
        """Z = levels D + projection."""
        return self.levels * self.features + self.projection

    @property
    def signs(self) -> int:
        """Size of the projection's matrix."""
        return self.projection * self.features

    def code(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the bits [Z] of features [D]: level by level which are above it, then the projection."""
        coded: NDArray[np.uint8] = self.code_many(features[None])[0]
        return coded

    def code_many(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the bits [B, Z] of features [B, D]."""
        pixels, thresholds = features.numpy(), _thresholds(self.levels)
        if self.threshold == "mean":
            each = kernels.stretched_by_means(pixels, thresholds)
        else:
            each = np.tile(thresholds.astype(np.float32), (len(pixels), 1))
        passed: NDArray[np.uint8] = kernels.passed(pixels, each)
        if not self.projection:
            return passed
        signs = np.stack([projected(row, self.projection, balanced=True) for row in pixels])
        return np.concatenate([passed, signs], axis=1)

    def decode(
        self,
        state: EncoderState,  # noqa: ARG002 - the protocol's signature
        codes: NDArray[np.uint8],
    ) -> NDArray[np.float32]:
        """Return features [R, D] of codes [R, Z]: pixels whose tones are the share of the levels that each passed.

        With u_d these tones, a picture of them has the mean m = B/(A + B), where A sums 1 - 2 u_d over all u_d below
        1/2 and B sums 2 u_d - 1 over those above. Where there are none below, or none above, those in the middle lean
        to that side.
        """
        levels = codes[:, : self.levels * self.features].reshape(len(codes), self.levels, self.features)
        shares: NDArray[np.float32] = levels.sum(axis=1, dtype=np.float32) / np.float32(self.levels)
        if self.threshold == "middle" or self.levels == 1:  # of one level the shares are black and white as they are
            return shares
        tones = shares.astype(np.float64)
        below, above = _apart(tones)
        lean = ((above == 0.0).astype(np.float64) - (below == 0.0)) / (4.0 * (self.levels + 1))
        tones = np.where(tones == 0.5, 0.5 + lean, tones)
        below, above = _apart(tones)
        mean = np.where(below + above > 0.0, above / np.maximum(below + above, 1e-300), 0.5)
        return np.stack([kernels.stretched(*one) for one in zip(tones, mean[:, 0], strict=True)]).astype(np.float32)

    @property
    def decoding(self) -> Decoding | None:
        """Bits as they are, where a code has nothing but one level."""
        return Decoding(0, np.empty(0)) if self.levels == 1 and not self.projection else None


@lru_cache(maxsize=64)
def _thresholds(levels: int) -> Reals:
    """Return the tones that a pixel is compared with, evenly spaced, float32 numbers; not to be changed."""
    return (np.arange(1, levels + 1, dtype=np.float32) / np.float32(levels + 1)).astype(np.float64)


def _apart(tones: Reals) -> tuple[Reals, Reals]:
    """Return twice how far the tones of each picture [R, D] lie below and above the middle, summed, [R, 1] each."""
    apart = 2.0 * tones - 1.0
    return np.maximum(-apart, 0.0).sum(axis=1, keepdims=True), np.maximum(apart, 0.0).sum(axis=1, keepdims=True)
