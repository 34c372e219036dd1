"""Images: pixels from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner.encoders.protocol import EncoderState, Input


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
        return torch.from_numpy(np.divide(x.reshape(-1), np.float32(255.0), dtype=np.float32))

    @property
    def bits(self) -> int:
        """Z = D."""
        return self.features

    def code(self, features: Tensor) -> NDArray[np.uint8]:
        """Return which of the features [D] are above one half."""
        return (features.numpy() > 0.5).view(np.uint8)

    def decode(
        self,
        state: EncoderState,  # noqa: ARG002 - the protocol's signature
        codes: NDArray[np.uint8],
    ) -> NDArray[np.float32]:
        """Return the codes [R, Z] as features [R, D]."""
        return codes.astype(np.float32)
