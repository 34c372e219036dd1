"""What an encoder is, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Input = NDArray[np.float32] | NDArray[np.uint8]
"""A vector or an image."""
Record = Mapping[str, float | str | None]
"""A row of a table: a number, a word or nothing by field."""
AnyInput = Input | str | Record
"""What one of the encoders takes."""
Inputs = Sequence[AnyInput] | Input
"""Several of it; vectors [B, dim] or images [B, height, width, channels] may be in one array."""
EncoderState = tuple[Tensor, ...]


MOST_SINGLE = float(np.finfo(np.float32).max)
"""The greatest number of single precision: its square, and a sum of many, fit into double precision."""


class Decoding(NamedTuple):
    """How a kernel decodes codes.

    Attributes:
        fields: how many numbers have a thermometer; 0: features are the code's first bits as they are.
        steps: the value that stands for each count of levels passed [levels + 1].
    """

    fields: int
    steps: NDArray[np.float64]


class Encoder(Protocol):
    """Turns one kind of input into features."""

    @property
    def features(self) -> int:
        """How many features an input has, D."""

    def start(self) -> EncoderState:
        """Return the state before any label."""

    def learn(self, state: EncoderState, x: Any) -> EncoderState:
        """Return the state after one more input."""

    def encode(self, state: EncoderState, x: Any) -> Tensor:
        """Return the features [D], float32, of one input."""

    def encode_each(self, state: EncoderState, xs: Any) -> tuple[EncoderState, Tensor, Tensor]:
        """Return the state after B inputs in turn, and the features [B, D] of each before and after it was learned."""

    @property
    def bits(self) -> int:
        """How many bits the code of an input has, Z."""

    def encode_many(self, state: EncoderState, xs: Any) -> Tensor:
        """Return the features [B, D] of B inputs, at least one: bit for bit those of `encode`."""

    def code(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the binary code [Z], 0 or 1, that the memory sees of features [D]."""

    def code_many(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the codes [B, Z] of features [B, D]: those of `code`."""

    def decode(self, state: EncoderState, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features [R, D] that codes [R, Z] stand for."""

    @property
    def decoding(self) -> Decoding | None:
        """How a kernel does as `decode`; None where none does."""


class OneByOne:
    """Encodes many inputs as one after the other."""

    __slots__ = ()

    def encode_many(self: Encoder, state: EncoderState, xs: Sequence[Any]) -> Tensor:
        """Return the features [B, D] of B inputs, at least one."""
        return torch.stack([self.encode(state, x) for x in xs])

    def encode_each(self: Encoder, state: EncoderState, xs: Sequence[Any]) -> tuple[EncoderState, Tensor, Tensor]:
        """Return the state after B inputs in turn, and the features [B, D] of each before and after it was learned."""
        before, after = [], []
        for x in xs:
            before.append(self.encode(state, x))
            state = self.learn(state, x)
            after.append(self.encode(state, x))
        return state, torch.stack(before), torch.stack(after)

    @property
    def decoding(self) -> Decoding | None:
        """None: only `decode` decodes."""
        return None

    def code_many(self: Encoder, features: Tensor) -> NDArray[np.uint8]:
        """Return the codes [B, Z] of features [B, D]."""
        return np.stack([self.code(row) for row in features])
