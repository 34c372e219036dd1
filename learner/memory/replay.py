"""Replay of what has grown stale: classes that have not come up for long are dreamt, from memory, not from old data.

A class c is stale where (t - last_c) n_c/t > patience: it is missing for `patience` times its usual interval. Nothing
stale, nothing replayed, so a stationary stream pays next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from learner.memory import mixture_kernels as kernels
from learner.memory.likelihood_kernels import Bytes, Reals
from learner.memory.mixture import MemoryState
from learner.noise import Purpose
from learner.noise_kernels import uniforms


class Stale(NamedTuple):
    """Classes that are missing for long, how many were ever seen, and the share of all labels that is the former's."""

    classes: NDArray[np.int64]
    seen: int
    share: float


def stale_classes(state: MemoryState, patience: float) -> Stale:
    """Return the classes that are missing for `patience` times their usual interval.

    Class c is stale where (t - last_c) n_c > patience t, with n_c its labels, last_c the number of its last one, t all.

    Example:
        >>> from learner.memory.mixture import GenerativeMemory
        >>> memory = GenerativeMemory(bits=2)
        >>> state = memory.start(2)
        >>> for number in range(1, 41):
        ...     label = 0 if number <= 10 else 1
        ...     state = memory.learn(state, np.full(2, label, np.uint8), label, counter=number)
        >>> stale_classes(state, 6.0).classes.tolist(), stale_classes(state, 60.0).classes.tolist()
        ([0], [])
        >>> stale_classes(state, 6.0).share
        0.25
    """
    return Stale(*kernels.overdue(state.counts, state.last, patience))


class Dreams(Protocol):
    """A memory that can be dreamt from: mixtures and sums."""

    def chances(self, state: MemoryState, units: NDArray[np.int64]) -> Reals:
        """Return the probability of each bit in components `units` [R], [R, Z]."""


class Dream(NamedTuple):
    """Pseudo-exemplars: codes [R, Z], class indices [R], and the weight of each in the loss."""

    codes: Bytes
    labels: NDArray[np.int64]
    weight: float


@dataclass(frozen=True, slots=True)
class Replay:
    """How much is dreamt, and when.

    Args:
        draws: R, pseudo-exemplars per label, >= 1.
        patience: intervals that a class may be missing, > 0.
        seed: key of the noise, 0 … 2^64 - 1.

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> from learner.memory.mixture import GenerativeMemory
        >>> memory = GenerativeMemory(bits=8)
        >>> state = memory.start(2)
        >>> for number in range(1, 41):
        ...     label = 0 if number <= 10 else 1
        ...     state = memory.learn(state, np.full(8, label, np.uint8), label, counter=number)
        >>> dream = Replay(draws=4).dream(memory, state, counter=41)
        >>> dream.labels.tolist(), dream.weight
        ([0, 0, 0, 0], 0.25)
    """

    draws: int = 20
    patience: float = 6.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise ValueError(f"draws must be >= 1, got {self.draws}")
        if not self.patience > 0.0:
            raise ValueError(f"patience must be > 0, got {self.patience}")

    def dream(self, memory: Dreams, state: MemoryState, *, counter: int) -> Dream | None:
        """Return pseudo-exemplars of the stale classes, or None where there is none.

        Classes are drawn evenly, components by their counts, bits by their probabilities. Together the draws weigh
        #stale/#fresh against the one real sample, so that all classes learn at one rate.

        Args:
            memory: whose state it is.
            state: what is remembered.
            counter: number of the label at hand, 0 … 2^64 - 1; keys the noise.
        """
        stale, live, _share = stale_classes(state, self.patience)
        if len(stale) == 0:
            return None
        u = uniforms(*self._key(counter, 0), 2 * self.draws)
        labels, units = kernels.drawn(state.counts, stale, u)
        noise = uniforms(*self._key(counter, 1), self.draws * len(state.prototypes))
        codes = kernels.lit(memory.chances(state, units), noise)
        return Dream(codes, labels, len(stale) / max(1, live - len(stale)) / self.draws)

    def _key(self, counter: int, lane: int) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
        return np.uint64(self.seed), np.uint64(counter), np.uint64(Purpose.REPLAY), np.uint64(lane)
