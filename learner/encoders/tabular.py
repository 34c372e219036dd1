"""Rows of a table: numbers, categories and gaps."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner import encoding_kernels
from learner.encoders.protocol import MOST_SINGLE, EncoderState, OneByOne, Record
from learner.encoders.vector import LEVELS, MOST, VectorEncoder, thermometer_levels

KINDS = ("number", "category")


@dataclass(frozen=True, slots=True)
class TabularEncoder(OneByOne):
    """Numbers as `VectorEncoder` has them, categories hashed to one of `buckets`, and a mark where a field is missing.

    Features are [numbers: value, 7 levels | categories: buckets each | a mark for each field], fields in alphabetical
    order. A missing number is 0 in value and levels and moves no running moment; a missing category is in no bucket.

    Args:
        fields: kind by field, "number" or "category"; at least one field.
        buckets: how many buckets each category has, 2 … 65,536.

    Attributes:
        numbers, categories: the names of the fields of either kind, in order.

    Raises:
        ValueError: where a setting is out of its range; and by `encode` and `learn` where a row does not fit.

    Example:
        >>> encoder = TabularEncoder({"age": "number", "job": "category"}, buckets=4)
        >>> encoder.features, encoder.bits
        (14, 13)
        >>> row = encoder.encode(encoder.start(), {"age": 0.4, "job": None})
        >>> [round(float(part), 2) for part in row]
        [0.4, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    """

    fields: Mapping[str, str]
    buckets: int = 32
    numbers: list[str] = field(init=False, repr=False, compare=False)
    categories: list[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.fields:
            raise ValueError("fields must name at least one field")
        for name, kind in self.fields.items():
            if kind not in KINDS:
                raise ValueError(f"fields[{name!r}] must be one of {', '.join(KINDS)}, got {kind!r}")
        if not 2 <= self.buckets <= 65_536:
            raise ValueError(f"buckets must be in 2 … 65536, got {self.buckets}")
        # Every row asks for these: they are sorted once.
        for of, kind in (("numbers", "number"), ("categories", "category")):
            object.__setattr__(self, of, sorted(name for name in self.fields if self.fields[name] == kind))

    @property
    def features(self) -> int:
        """D = 8 numbers + buckets categories + fields."""
        return self.bits + len(self.numbers)

    @property
    def bits(self) -> int:
        """Z = 7 numbers + buckets categories + fields."""
        return len(LEVELS) * len(self.numbers) + self.buckets * len(self.categories) + len(self.fields)

    def start(self) -> EncoderState:
        """Return (count, mean, sum of squared deviations) of each number, of nothing, float64 [numbers] each."""
        zeros = torch.zeros(len(self.numbers), dtype=torch.float64)
        return (zeros, zeros, zeros)

    def learn(self, state: EncoderState, x: Record) -> EncoderState:
        """Return the running moments with one more row."""
        count, mean, squares = (part.numpy() for part in state)
        counted, moved, more = encoding_kernels.with_one_more_row(self._numbers(x), count, mean, squares)
        return (torch.from_numpy(counted), torch.from_numpy(moved), torch.from_numpy(more))

    def encode(self, state: EncoderState, x: Record) -> Tensor:
        """Return the features [D] of a row; a field that the row does not name is missing."""
        moments, levels = tuple(part.numpy() for part in state), thermometer_levels(len(LEVELS))
        row = np.zeros(self.features, np.float32)
        numbers, amount = row[: len(self.numbers) * (1 + len(LEVELS))], len(self.numbers)
        gaps = row[self.features - len(self.fields) :]
        encoding_kernels.thermometer_with_gaps(self._numbers(x), moments, MOST, levels, numbers, gaps[:amount])
        for position, name in enumerate(self.categories):
            word = self._word(x, name)
            if word is None:
                gaps[amount + position] = 1.0
            else:
                row[numbers.size + position * self.buckets + _bucket(word, self.buckets)] = 1.0
        return torch.from_numpy(row)

    def code(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the bits [Z] of features [D]: levels passed, buckets, gaps."""
        coded: NDArray[np.uint8] = self.code_many(features[None])[0]
        return coded

    def code_many(self, features: Tensor) -> NDArray[np.uint8]:
        """Return the bits [B, Z] of features [B, D]."""
        return (features.numpy()[:, len(self.numbers) :] > 0.0).view(np.uint8)

    def decode(self, state: EncoderState, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return features [R, D] of codes [R, Z]; each number is the middle of its step."""
        amount, end = len(self.numbers), len(LEVELS) * len(self.numbers)
        known = 1.0 - codes[:, codes.shape[1] - len(self.fields) :][:, :amount]
        signs = VectorEncoder(max(1, amount)).decode(state, codes[:, :end]) if amount else codes[:, :0]
        signs = signs * np.tile(known, 1 + len(LEVELS))
        return np.concatenate([signs, codes[:, end:]], axis=1).astype(np.float32)

    def to_bytes(self, x: Record) -> bytes:
        """Return what a log entry keeps of a row: JSON with its known fields in alphabetical order."""
        known = {name: value for name, value in x.items() if value is not None}
        return json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()

    def from_bytes(self, data: bytes) -> dict[str, Any]:
        """Return the row that `to_bytes` wrote, without the fields that were missing."""
        row: dict[str, Any] = json.loads(data)
        return row

    def _numbers(self, x: Record) -> NDArray[np.float64]:
        if not x.keys() <= self.fields.keys():
            strange = min(set(x) - set(self.fields))
            raise ValueError(f"a row may have the fields {', '.join(sorted(self.fields))}, got {strange!r}")
        return np.array([_number(x, name) for name in self.numbers], np.float64)

    @staticmethod
    def _word(x: Record, name: str) -> str | None:
        word = x.get(name)
        if word is not None and not isinstance(word, str):
            raise ValueError(f"{name} must be a string or missing, got {word!r}")
        return word


def _bucket(word: str, buckets: int) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) % buckets


def _number(x: Record, name: str) -> float:
    value = x.get(name)
    if value is None:
        return math.nan
    if isinstance(value, (str, bool)) or not abs(value) <= MOST_SINGLE:
        raise ValueError(f"{name} must be a number within ±3.4e38 or missing, got {value!r}")
    return float(value)
