"""A memory for sparse codes, such as texts: what each class has of every bit, against what there is everywhere.

p_cd = (S_cd + 3 b_d)/(n_c + 3),  b_d = (sum_c S_cd + 1/2)/(n + 1)

with S_cd the codes of class c that have bit d, n_c its codes, n all codes. Few of many bits are set, so a code's
likelihood is taken as Poisson's, which needs its set bits only::

    log p(z|c) - log p(z|everywhere) = sum_{d: z_d = 1} w_d log(p_cd/b_d) - sum_d w_d (p_cd - b_d)

Bits that mostly repeat what others say, as the pieces of a word do, may weigh less:
w_d = 1 up to one bit, and less after it.
A class never seen gets 0. Nothing is forgotten: sums have no rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.memory import codes as given
from learner.memory import sparse_kernels as kernels
from learner.memory.likelihood_kernels import Bytes, Odds, Reals
from learner.memory.mixture import MemoryState


@dataclass(frozen=True, slots=True)
class SparseMemory:
    """One component for each class, kept as sums; holds settings only, never what was remembered.

    Its state is a `MemoryState` with K = 1: `prototypes` holds S [Z, C, 1], int32, and `off` the sum of w S over the
    bits of each class.

    Args:
        bits: Z, length of a code, >= 1.
        smoothing: how many codes the background counts for, > 0.
        light: how many bits, the last ones, weigh less than 1, 0 … Z.
        weight: w of these, 0 … 1.

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> memory = SparseMemory(bits=4)
        >>> state = memory.start(2)
        >>> state = memory.learn(state, np.array([1, 1, 0, 0], np.uint8), 0, counter=1)
        >>> state = memory.learn(state, np.array([0, 0, 1, 1], np.uint8), 1, counter=2)
        >>> memory.log_likelihood(state, np.array([1, 1, 0, 0], np.uint8)).round(2).tolist()
        [0.45, -0.58]
    """

    bits: int
    smoothing: float = 3.0
    light: int = 0
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.bits < 1:
            raise ValueError(f"bits must be >= 1, got {self.bits}")
        if not self.smoothing > 0.0:
            raise ValueError(f"smoothing must be > 0, got {self.smoothing}")
        if not 0 <= self.light <= self.bits:
            raise ValueError(f"light must be in 0 … {self.bits}, got {self.light}")
        if not 0.0 <= self.weight <= 1.0:
            raise ValueError(f"weight must be in 0 … 1, got {self.weight}")

    def start(self, classes: int) -> MemoryState:
        """Return the state before any code."""
        whole = np.zeros((classes, 1), np.int64)
        sums = np.zeros((self.bits, classes, 1), np.int32)
        return MemoryState(sums, whole, whole, whole.astype(np.float64), np.zeros((classes, 2)))

    def grow(self, state: MemoryState, classes: int) -> MemoryState:
        """Return the state with room for `classes` classes; what was remembered stays as it is."""
        missing = classes - len(state.counts)
        if missing < 0:
            raise ValueError(f"classes must be >= {len(state.counts)}, the classes already known, got {classes}")
        more = self.start(missing)
        sums = np.concatenate([state.prototypes, more.prototypes], axis=1)
        rest = (np.concatenate(pair) for pair in zip(state[1:], more[1:], strict=True))
        return MemoryState(sums, *rest)

    def log_likelihood(self, state: MemoryState, code: Bytes) -> Reals:
        """Return log p(code | class) - log p(code | everywhere) in nats [C]."""
        logs: Reals = self.log_likelihoods(state, code[None])[0]
        return logs

    def log_likelihoods(
        self,
        state: MemoryState,
        codes: Bytes,
        odds: Odds | None = None,  # noqa: ARG002 - a sum is not looked up
    ) -> Reals:
        """Return `log_likelihood` of each of codes [R, Z], [R, C]."""
        codes = given.fit(codes, self.bits)
        seen, total = state.counts[:, 0].astype(np.float64), state.off[:, 0]
        sums = state.prototypes[:, :, 0]
        settings = np.array([self.smoothing, self.bits - self.light, self.weight])
        logs: Reals = kernels.log_ratios(sums, seen, total, codes, settings)
        return logs

    def recall(self, state: MemoryState, codes: Bytes) -> tuple[Reals, Reals]:
        """Return `log_likelihoods` of codes [R, Z], [R, C], by component and by class: each has but one."""
        logs = self.log_likelihoods(state, codes)
        return logs, logs

    def odds(self, state: MemoryState) -> None:
        """Return nothing: there is nothing to look up beforehand."""

    def learn(
        self,
        state: MemoryState,
        code: Bytes,
        index: int,
        *,
        counter: int,  # noqa: ARG002 - sums need no noise
        logs: Reals | None = None,
    ) -> MemoryState:
        """Return the state after one code [Z] of class `index`.

        Raises:
            ValueError: where the code does not fit the memory, or the class is not known.
        """
        given.known(index, len(state.counts))
        if logs is None:
            given.binary(given.fit(code[None], self.bits))
        sums, counts = state.prototypes.copy(), state.counts.copy()
        last, off = state.last.copy(), state.off.copy()
        sums[:, index, 0] += code
        counts[index, 0] += 1
        last[index, 0] = counts.sum()
        heavy = self.bits - self.light
        off[index, 0] += int(code[:heavy].sum()) + self.weight * int(code[heavy:].sum())
        return MemoryState(sums, counts, last, off, state.spread)

    def chances(self, state: MemoryState, units: NDArray[np.int64]) -> Reals:
        """Return S_cd/n_c of classes `units` [R] that have been seen, [R, Z]."""
        chances: Reals = (state.prototypes[:, units, 0] / state.counts[units, 0]).T
        return chances
