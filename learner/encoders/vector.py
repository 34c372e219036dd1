"""Vectors: running standardisation, and thermometer codes beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner import encoding_kernels
from learner.encoders.projection import projected
from learner.encoders.protocol import Decoding, EncoderState, Input

LEVELS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
"""Thermometer levels by default, in running standard deviations from the running mean."""

MOST_LEVELS = 63
"""The most thermometer levels of one field."""

MOST = 4.0
"""Standardised values are cut here, in standard deviations."""


@dataclass(frozen=True, slots=True)
class VectorEncoder:
    """Running standardisation, and beside it thermometer codes of +-1 at evenly spaced levels, seven by default.

    s = (x - mean)/deviation, cut to +-4; code_l = +1 where s > level_l, else -1. A field that has not varied yet gives
    s = x - mean. Mean and deviation are Welford's, over the inputs learned so far. The code has the thermometer's bits,
    and after them the bits of a random sign projection of s, where one is asked for.

    Args:
        dim: length of a vector, >= 1.
        levels: how many levels, evenly from -1.5 to 1.5 running deviations, 1 … 63; a single one is 0.
        projection: bits of the random sign projection, >= 0.

    Raises:
        ValueError: where a setting is out of its range.

    Example:
        >>> encoder = VectorEncoder(1)
        >>> state = encoder.start()
        >>> for value in (1.0, 2.0, 3.0):
        ...     state = encoder.learn(state, np.array([value], dtype=np.float32))
        >>> [round(float(f), 3) for f in encoder.encode(state, np.array([3.0], dtype=np.float32))]
        [1.225, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0]
    """

    dim: int
    levels: int = len(LEVELS)
    projection: int = 0

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ValueError(f"dim must be >= 1, got {self.dim}")
        if not 1 <= self.levels <= MOST_LEVELS:
            raise ValueError(f"levels must be in 1 … {MOST_LEVELS}, got {self.levels}")
        if self.projection < 0:
            raise ValueError(f"projection must be >= 0, got {self.projection}")

    @property
    def features(self) -> int:
        """D = dim (1 + levels): the standardised value and its levels."""
        return self.dim * (1 + self.levels)

    def start(self) -> EncoderState:
        """Return (count [1], mean [dim], sum of squared deviations [dim]) of nothing, float64."""
        zeros = torch.zeros(self.dim, dtype=torch.float64)
        return (torch.zeros(1, dtype=torch.float64), zeros, zeros)

    def learn(self, state: EncoderState, x: Input) -> EncoderState:
        """Return the running moments with one more vector.

        Raises:
            ValueError: where it has not `dim` finite numbers, as single precision has them.
        """
        count, mean, squares = (part.numpy() for part in state)
        moved, more = encoding_kernels.with_one_more(self._rows([x])[0], count[0] + 1.0, mean, squares)
        return (torch.from_numpy(count + 1.0), torch.from_numpy(moved), torch.from_numpy(more))

    def encode(self, state: EncoderState, x: Input) -> Tensor:
        """Return the features [D] of a vector [dim]."""
        return self.encode_many(state, [x])[0]

    def encode_many(self, state: EncoderState, xs: Sequence[Input] | Input) -> Tensor:
        """Return the features [B, D] of B vectors."""
        count, mean, squares = (part.numpy() for part in state)
        rows, levels = self._rows(xs), thermometer_levels(self.levels)
        return torch.from_numpy(encoding_kernels.thermometers(rows, (count[0], mean, squares), MOST, levels))

    def encode_each(self, state: EncoderState, xs: Sequence[Input] | Input) -> tuple[EncoderState, Tensor, Tensor]:
        """Return the state after B vectors in turn, and the features [B, D] of each before and after it was learned."""
        (count, mean, squares), rows = (part.numpy() for part in state), self._rows(xs)
        before, after, moved, more = encoding_kernels.thermometers_of_each(
            rows, (count[0], mean, squares), MOST, thermometer_levels(self.levels)
        )
        learned = (torch.from_numpy(count + len(rows)), torch.from_numpy(moved), torch.from_numpy(more))
        return learned, torch.from_numpy(before), torch.from_numpy(after)

    @property
    def bits(self) -> int:
        """Z = levels dim + projection."""
        return self.dim * self.levels + self.projection

    @property
    def signs(self) -> int:
        """Size of the projection's matrix."""
        return self.projection * self.dim

    def code(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the bits [Z] of features [D]: the thermometer's, then the projection's."""
        coded: NDArray[np.uint8] = self.code_many(features[None])[0]
        return coded

    def code_many(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the bits [B, Z] of features [B, D]."""
        values = features.numpy()
        passed: NDArray[np.uint8] = (values[:, self.dim :] > 0.0).view(np.uint8)
        if not self.projection:
            return passed
        signs = np.stack([projected(row, self.projection, balanced=False) for row in values[:, : self.dim]])
        return np.concatenate([passed, signs], axis=1)

    def decode(
        self,
        state: EncoderState,  # noqa: ARG002 - the protocol's signature
        codes: NDArray[np.uint8],
    ) -> NDArray[np.float32]:
        """Return features [R, D] of codes [R, Z]: each value is the middle of its step; the end steps are as wide."""
        features = np.empty((len(codes), self.features), np.float32)
        encoding_kernels.decoded(np.ascontiguousarray(codes, np.uint8), *self.decoding, features)
        return features

    @property
    def decoding(self) -> Decoding:
        """The middle of each step of the thermometers."""
        return Decoding(self.dim, _steps(self.levels))

    def _rows(self, xs: Sequence[Input] | Input) -> NDArray[np.float32]:
        rows = np.ascontiguousarray(xs, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != self.dim:
            raise ValueError(f"a vector must have {self.dim} numbers, got {rows.shape[1:]}")
        if not np.isfinite(rows).all():
            raise ValueError("a vector must have finite numbers within single precision, up to 3.4e38")
        return rows


@lru_cache
def thermometer_levels(levels: int) -> NDArray[np.float64]:
    """Return the levels, evenly from -1.5 to 1.5; 0 where there is one.

    Example:
        >>> thermometer_levels(7).tolist() == list(LEVELS), thermometer_levels(1).tolist()
        (True, [0.0])
    """
    return np.linspace(-1.5, 1.5, levels) if levels > 1 else np.zeros(1)


@lru_cache
def _steps(levels: int) -> NDArray[np.float64]:
    """Return the value that stands for each count of levels passed; the end steps are as wide as the others."""
    at, half = thermometer_levels(levels), 1.5 / (levels - 1) if levels > 1 else 0.75
    return np.array([at[0] - half, *((at[1:] + at[:-1]) / 2.0), at[-1] + half])
