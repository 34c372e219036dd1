"""A generative binary memory: every class as a mixture of Bernoulli prototypes over binary codes, learned in one pass.

log p(z|k) = sum_d z_d log mu_kd + (1 - z_d) log(1 - mu_kd), mu in [.01, .99];
log p(z|c) = logsumexp_k(log pi_ck + log p(z|k)), pi_ck = n_ck / n_c.

==========  =========================================
symbol      name here
==========  =========================================
z           `code`
mu          `prototypes`, one byte each
n_ck        `counts`
K           `components`
==========  =========================================

Shapes: Z bits of a code, C classes, K components of a class. After arXiv 2503.10333, made online.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.memory import codes as given
from learner.memory import likelihood_kernels, mixture_kernels
from learner.memory.likelihood_kernels import Bytes, Odds, Reals
from learner.noise import Purpose


class MemoryState(NamedTuple):
    """What a memory holds.

    Attributes:
        prototypes: bytes [Z, C, K]; mu = .01 + .98 byte/255. In a `SparseMemory` sums, int32.
        counts: codes that each component took in [C, K], int64; 0 where there is none yet.
        last: how many labels there were when each component took in its last [C, K], int64.
        off: sum of log (1 - mu) of each component [C, K], nats.
        spread: running mean and variance of each class's best log-likelihood [C, 2], nats.
    """

    prototypes: NDArray[Any]
    counts: NDArray[np.int64]
    last: NDArray[np.int64]
    off: Reals
    spread: Reals

    def copied(self) -> MemoryState:
        """Return the same in arrays of its own."""
        return MemoryState(
            self.prototypes.copy(), self.counts.copy(), self.last.copy(), self.off.copy(), self.spread.copy()
        )


@dataclass(frozen=True, slots=True)
class GenerativeMemory:
    """The memory's shape and rates; holds settings only, never what was remembered.

    Args:
        bits: Z, length of a code, >= 1.
        components: K, the most components of a class, >= 1.
        rate_floor: the slowest rate at which a component follows new codes, in (0, 1]; higher forgets faster.
        surprise: None: the first K codes of a class each start a component. A number tau > 0: a new one starts only
            where max_k (log p_k - E_k)/sqrt(V_k) < -tau, with mean and variance of log p_k under k itself.
        seed: key of the noise, 0 … 2^64 - 1.
        lane: tells memories of one learner apart.

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> memory = GenerativeMemory(bits=4, components=2)
        >>> state = memory.start(2)
        >>> state = memory.learn(state, np.array([1, 1, 0, 0], np.uint8), 0, counter=1)
        >>> state = memory.learn(state, np.array([0, 0, 1, 1], np.uint8), 1, counter=2)
        >>> memory.log_likelihood(state, np.array([1, 1, 0, 1], np.uint8)).round(2).tolist()
        [-2.63, -7.06]
    """

    bits: int
    components: int = 16
    rate_floor: float = 0.01
    surprise: float | None = None
    seed: int = 0
    lane: int = 0

    def __post_init__(self) -> None:
        for name in ("seed", "lane"):
            if not 0 <= getattr(self, name) < 2**64:
                raise ValueError(f"{name} must be in 0 … 2^64 - 1, got {getattr(self, name)}")
        for name in ("bits", "components"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")
        if not 0.0 < self.rate_floor <= 1.0:
            raise ValueError(f"rate_floor must be in (0, 1], got {self.rate_floor}")
        if self.surprise is not None and not self.surprise > 0.0:
            raise ValueError(f"surprise must be > 0, got {self.surprise}")

    def start(self, classes: int) -> MemoryState:
        """Return the state before any code."""
        return self._empty(classes, self.components)

    def grow(self, state: MemoryState, classes: int) -> MemoryState:
        """Return the state with room for `classes` classes; what was remembered stays as it is."""
        missing = classes - len(state.counts)
        if missing < 0:
            raise ValueError(f"classes must be >= {len(state.counts)}, the classes already known, got {classes}")
        more = self._empty(missing, state.counts.shape[1])
        return MemoryState(
            np.concatenate([state.prototypes, more.prototypes], axis=1),
            np.concatenate([state.counts, more.counts]),
            np.concatenate([state.last, more.last]),
            np.concatenate([state.off, more.off]),
            np.concatenate([state.spread, more.spread]),
        )

    def log_likelihood(self, state: MemoryState, code: Bytes) -> Reals:
        """Return log p(code | class) in nats [C]; a class without any component gets Z log(1/2), a fair coin's.

        Args:
            state: what is remembered.
            code: 0 or 1 [Z], uint8.
        """
        by_class: Reals = self.recall(state, code[None])[1][0]
        return by_class

    def log_likelihoods(self, state: MemoryState, codes: Bytes, odds: Odds | None = None) -> Reals:
        """Return `log_likelihood` of each of codes [R, Z], [R, C], to the bit.

        Args:
            state: what is remembered.
            codes: 0 or 1 [R, Z], uint8.
            odds: what `odds` gives for this state, where it is at hand: less time.
        """
        if odds is None and len(codes) < likelihood_kernels.FEW:
            return self.recall(state, codes)[1]
        odds, codes = self.odds(state) if odds is None else odds, given.fit(codes, self.bits)
        by_class: Reals = likelihood_kernels.likelihoods_by(odds, state.off, state.counts, codes, self.unknown)
        return by_class

    def recall(self, state: MemoryState, codes: Bytes) -> tuple[Reals, Reals]:
        """Return log p(code | component) [R, C K], void where missing, and `log_likelihoods` [R, C] of codes [R, Z]."""
        codes = given.fit(codes, self.bits)
        logs, by_class = likelihood_kernels.recalled(state.prototypes, state.off, state.counts, codes, self.unknown)
        return logs, by_class

    def odds(self, state: MemoryState) -> Odds:
        """Return log mu/(1 - mu) of every bit of every component, [Z, C K]: what many codes look up."""
        odds: Odds = likelihood_kernels.log_odds(state.prototypes.reshape(self.bits, -1))
        return odds

    def learn(
        self, state: MemoryState, code: Bytes, index: int, *, counter: int, logs: Reals | None = None
    ) -> MemoryState:
        """Return the state after one code of class `index`.

        With fewer than K components of the class a new one, mu = .1 + .8 code; else the one that is most willing,
        k = argmax_k log p_k - s n_k/mean(n), with s the running deviation of the class's best log p (20 nats before
        there is one), moves: mu += max(1/(n_k + 1), rate_floor) (code - mu).

        Args:
            state: left as it is.
            code: 0 or 1 [Z], uint8.
            index: the class, 0 … C - 1.
            counter: the label's key of the noise of rounding, 0 … 2^64 - 1.
            logs: log p(code | component) by this state [C K], where they are at hand already: then the code is one that
                `recall` was given.

        Raises:
            ValueError: where the code does not fit the memory, or the class is not known.
        """
        given.known(index, len(state.counts))
        if logs is None:
            logs = self.recall(state, code[None])[0][0]
            given.binary(code)
        after = state.copied()
        mixture_kernels.take_in(
            tuple(after), logs, code, index, self.rate_floor, self.surprise or 0.0, self._key(counter)
        )
        return after

    def learn_each(self, state: MemoryState, codes: Bytes, indices: NDArray[np.int64], *, counter: int) -> MemoryState:
        """Return the state after each of R codes in turn: that of R calls of `learn`, to the bit.

        Code r has the noise of counter + r. The state is copied once, and each code is compared with the components of
        its own class alone.

        Args:
            state: left as it is.
            codes: 0 or 1 [R, Z], uint8.
            indices: their classes [R], 0 … C - 1.
            counter: the first label's key of the noise of rounding, 0 … 2^64 - R.

        Raises:
            ValueError: where codes and classes are not as many, or a class is not known.

        Example:
            >>> memory = GenerativeMemory(bits=2, components=1)
            >>> codes, indices = np.eye(2, dtype=np.uint8), np.array([0, 1])
            >>> together = memory.learn_each(memory.start(2), codes, indices, counter=1)
            >>> one = memory.learn(memory.start(2), codes[0], 0, counter=1)
            >>> both = memory.learn(one, codes[1], 1, counter=2)
            >>> all(np.array_equal(*pair) for pair in zip(together, both, strict=True))
            True
        """
        if len(given.fit(codes, self.bits)) != len(indices):
            raise ValueError(f"codes must be {len(indices)}, one for each index, got {len(codes)}")
        if not len(indices):
            return state
        given.known(indices, len(state.counts))
        given.binary(codes)
        after = state.copied()
        mixture_kernels.take_in_each(
            tuple(after), codes, indices, self.rate_floor, self.surprise or 0.0, self._key(counter)
        )
        return after

    def chances(self, state: MemoryState, units: NDArray[np.int64]) -> Reals:
        """Return mu of components `units` [R], counted through all classes, [R, Z]."""
        chances: Reals = mixture_kernels.chances(state.prototypes.reshape(self.bits, -1), units)
        return chances

    @property
    def unknown(self) -> float:
        """Log p(code | class) of a class without any component: Z fair coins, nats."""
        return self.bits * math.log(0.5)

    def _key(self, counter: int) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
        return np.uint64(self.seed), np.uint64(counter), np.uint64(Purpose.REMEMBER), np.uint64(self.lane)

    def _empty(self, classes: int, components: int) -> MemoryState:
        whole = np.zeros((classes, components), np.int64)
        prototypes = np.zeros((self.bits, classes, components), np.uint8)
        return MemoryState(prototypes, whole, whole, whole.astype(np.float64), np.zeros((classes, 2)))
