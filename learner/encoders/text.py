"""Texts: hashed words, pairs of words and pieces of words, weighted by how rare they are."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner.encoders.protocol import EncoderState, OneByOne

_WORD = re.compile(r"\w+")
_PIECES = (3, 4, 5)
"""Lengths of the pieces of words, in characters, the word's two edges included."""

_EIGHTHS_OF_WORDS = 3
"""So many eighths of the buckets are for words and pairs, where pieces have buckets of their own."""


@dataclass(frozen=True, slots=True)
class TextEncoder(OneByOne):
    """Terms hashed into D buckets, with a running inverse document frequency.

    A text's terms are its lower-cased words, its pairs of neighbouring words, and the pieces of 3 to 5 characters of
    each word. With c_d how often terms of bucket d come up, n texts learned and f_d of them with bucket d::

        x_d = (1 + log c_d) (1 + log((n + 1)/(f_d + 1))), scaled to |x| = sqrt(D);  0 where c_d = 0

    Words and pairs fall into the first 3/8 of the buckets, pieces, which repeat much of what words say, into the rest.
    The code of a text is which buckets its terms fall into. What is learned is n and f, never a text.

    Args:
        dim: D, how many buckets, 16 … 2^20.
        separate: False: all terms share all buckets.

    Raises:
        ValueError: where `dim` is out of its range.

    Source:
        Weinberger et al., arXiv 0902.2206 (hashing); Spaerck Jones, 1972 (inverse document frequency).

    Example:
        >>> encoder = TextEncoder(dim=64)
        >>> features = encoder.encode(encoder.start(), "to be")
        >>> int((features > 0).sum()), round(float(features.norm()), 3)
        (8, 8.0)
    """

    dim: int = 8192
    separate: bool = True

    def __post_init__(self) -> None:
        if not 16 <= self.dim <= 2**20:
            raise ValueError(f"dim must be in 16 … 2^20, got {self.dim}")

    @property
    def features(self) -> int:
        """D = dim."""
        return self.dim

    @property
    def bits(self) -> int:
        """Z = D."""
        return self.dim

    @property
    def pieces(self) -> int:
        """How many buckets, the last ones, hold pieces of words and nothing else."""
        return self.dim - _EIGHTHS_OF_WORDS * self.dim // 8 if self.separate else 0

    def start(self) -> EncoderState:
        """Return (texts learned [1], of these with each bucket [D]) of nothing, int64."""
        return (torch.zeros(1, dtype=torch.int64), torch.zeros(self.dim, dtype=torch.int64))

    def learn(self, state: EncoderState, x: str) -> EncoderState:
        """Return the document frequencies with one more text."""
        count, frequency = state
        more = frequency.numpy().copy()
        more[self._buckets(x)[0]] += 1
        return (count + 1, torch.from_numpy(more))

    def encode(self, state: EncoderState, x: str) -> Tensor:
        """Return the features [D] of a text; all 0 where it has no word."""
        buckets, times = self._buckets(x)
        features = np.zeros((1, self.dim), np.float32)
        features[0, buckets] = (1.0 + np.log(times)) * self._rarity(state)[buckets]
        return torch.from_numpy(self._scaled(features)[0])

    def code(self, features: Tensor) -> NDArray[np.uint8]:
        """Return which of the features [D] there are."""
        return (features.numpy() > 0.0).astype(np.uint8)

    def decode(self, state: EncoderState, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features [R, D] of texts with every term once whose codes [R, D] are these."""
        return self._scaled((codes * self._rarity(state)).astype(np.float32))

    def to_bytes(self, x: str) -> bytes:
        """Return what a log entry keeps of a text: its UTF-8."""
        return x.encode()

    def from_bytes(self, data: bytes) -> str:
        """Return the text that `to_bytes` wrote."""
        return data.decode()

    def _buckets(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        words = _WORD.findall(text.lower())
        whole, pieces = self.dim - self.pieces, self.pieces or self.dim
        hashed = [_hash(term) % whole for term in _words_and_pairs(words)]
        hashed += [self.dim - pieces + _hash(term) % pieces for term in _pieces(words)]
        return np.unique(np.array(hashed, np.int64), return_counts=True)

    @staticmethod
    def _rarity(state: EncoderState) -> NDArray[np.float64]:
        rarity: NDArray[np.float64] = 1.0 + math.log(float(state[0]) + 1.0) - np.log1p(state[1].numpy())
        return rarity

    def _scaled(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        norms = np.linalg.norm(features, axis=1, keepdims=True)
        factors = math.sqrt(self.dim) / np.where(norms > 0.0, norms, 1.0)
        return features * factors.astype(np.float32)


def _words_and_pairs(words: Sequence[str]) -> Iterator[str]:
    """Yield words and their neighbouring pairs, each with a mark before it, so that none equals a piece."""
    yield from (f"1:{word}" for word in words)
    yield from (f"2:{first} {second}" for first, second in pairwise(words))


def _pieces(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        edged = f" {word} "
        for size in _PIECES:
            yield from (edged[at : at + size] for at in range(len(edged) - size + 1))


def _hash(term: str) -> int:
    return zlib.crc32(term.encode("utf-8", "surrogatepass"))
