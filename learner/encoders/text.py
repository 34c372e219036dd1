"""Texts: hashed words, pairs of words and pieces of words, weighted by how rare they are."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner.encoders.protocol import EncoderState, OneByOne
from learner.encoders.term_kernels import counted_terms

_WORD = re.compile(r"\w+")
_PIECES = (3, 5)
"""The shortest and the longest piece of a word, in characters, the word's two edges included."""

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
        """Return the buckets of a text's terms, and how often each comes up."""
        words = "".join(f"{word}\n" for word in _WORD.findall(text.lower())).encode("utf-8", "surrogatepass")
        whole, pieces, counts = self.dim - self.pieces, self.pieces or self.dim, np.zeros(self.dim, np.int64)
        counted_terms(np.frombuffer(words, np.uint8), whole, pieces, *_PIECES, counts)
        buckets = np.flatnonzero(counts)
        return buckets, counts[buckets]

    @staticmethod
    def _rarity(state: EncoderState) -> NDArray[np.float64]:
        rarity: NDArray[np.float64] = 1.0 + math.log(float(state[0]) + 1.0) - np.log1p(state[1].numpy())
        return rarity

    def _scaled(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        norms = np.linalg.norm(features, axis=1, keepdims=True)
        factors = math.sqrt(self.dim) / np.where(norms > 0.0, norms, 1.0)
        return features * factors.astype(np.float32)
