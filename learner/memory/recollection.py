"""All that remembers, as one: a ladder of memories from slow to quick, the fusion with the network, and replay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from learner.memory import fusion_kernels as kernels
from learner.memory.fusion import Fusion, FusionState
from learner.memory.likelihood_kernels import Bytes, Odds, Reals
from learner.memory.mixture import GenerativeMemory, MemoryState
from learner.memory.replay import Dream, Replay, stale_classes
from learner.memory.sparse import SparseMemory

RATES = (0.01, 0.1, 0.5)
"""The ladder's rate floors: the first hardly forgets, the last follows a stream that moves."""

QUICK = 16
"""The most components of a class in a memory that is not the slowest."""

SPARSE_TEMPERATURE = 16.0
"""T of sparse codes whose bits all weigh 1, in nats: chosen on a held-back part of a stream of short questions."""

LIGHT_TEMPERATURE = 10.0
"""T of sparse codes some of whose bits are light, chosen there too."""

SPARSE_FRESHNESS = 1.5
"""Nats by which the network is too sure of what came lately where dreams are bits drawn one by one, as a text's are:
chosen there too. Pictures are dreamt from many components of a class, and need none."""

_LIGHT = 0.5

_PER_ROOT_BIT = 0.7
SILENT = 30.0
"""Intervals that a class may be missing before the record of who was right no longer speaks for it."""


class RecollectionState(NamedTuple):
    """What is remembered.

    Attributes:
        memories: one state for each rung of the ladder.
        fusion: how loud each expert is.
        familiar: labels seen, running mean and variance of max_c log p(code | c) before they were learned [3], nats.
    """

    memories: tuple[MemoryState, ...]
    fusion: FusionState
    familiar: Reals


class Recall(NamedTuple):
    """What the memories say of R codes.

    Attributes:
        logs: log p(code | component) of each memory [R, U]; none where they were not kept.
        log_p: log p(class | code) of each memory [R, M, C].
        best: max_c log p(code | c) of the slowest memory [R], nats.
        novelty: how many deviations `best` lies below what is usual [R]; 0 while nothing is usual yet.
    """

    logs: tuple[Reals, ...]
    log_p: Reals
    best: Reals
    novelty: Reals


@dataclass(frozen=True, slots=True)
class Recollection:
    """The ladder and its settings. p_m(c | code) = softmax_c(log p_m(code | c)/T), T = .7 sqrt(Z).

    Args:
        memories: the ladder, slowest first, at least one, all of one code length.
        fusion: how trust moves.
        replay: how much is dreamt, and when.
        temperature: T > 0; None: .7 sqrt(Z).

    Raises:
        ValueError: where there is no memory, `temperature` is not positive or the code lengths differ.

    Example:
        >>> recollection = Recollection.ladder(bits=8, seed=3)
        >>> state = recollection.start(2)
        >>> for seq in range(1, 9):
        ...     code = np.full(8, seq % 2, np.uint8)
        ...     state = recollection.learn(state, recollection.recall(state, code[None]), code, seq % 2, counter=seq)
        >>> recalled = recollection.recall(state, np.ones((1, 8), np.uint8))
        >>> np.exp(recalled.log_p[0, 0]).round(2).tolist()
        [0.0, 1.0]
    """

    memories: tuple[GenerativeMemory | SparseMemory, ...]
    fusion: Fusion = field(default_factory=Fusion)
    replay: Replay = field(default_factory=Replay)
    temperature: float | None = None

    def __post_init__(self) -> None:
        if not self.memories:
            raise ValueError("memories must hold at least one memory")
        if len({memory.bits for memory in self.memories}) > 1:
            raise ValueError("memories must all have one code length")
        if self.temperature is not None and not self.temperature > 0.0:
            raise ValueError(f"temperature must be > 0, got {self.temperature}")

    @classmethod
    def ladder(
        cls, bits: int, *, components: int = 16, rates: tuple[float, ...] = RATES, seed: int = 0
    ) -> Recollection:
        """Return memories at each of `rates`, with default fusion and replay.

        The slowest has `components` components of a class. The others, which follow what moves, have at most 16.
        """
        sizes = [components] + [min(components, QUICK)] * (len(rates) - 1)
        rungs = (
            GenerativeMemory(bits, size, rate_floor=rate, seed=seed, lane=lane)
            for lane, (size, rate) in enumerate(zip(sizes, rates, strict=True))
        )
        return cls(tuple(rungs), replay=Replay(seed=seed))

    @classmethod
    def sparse(cls, bits: int, *, light: int = 0, seed: int = 0) -> Recollection:
        """Return the one memory of sparse codes that never forgets, with default fusion and replay.

        The last `light` bits weigh half as much as the others.
        """
        memory = SparseMemory(bits, light=light, weight=_LIGHT)
        temperature = LIGHT_TEMPERATURE if light else SPARSE_TEMPERATURE
        return cls((memory,), Fusion(recall=1.0, freshness=SPARSE_FRESHNESS), Replay(seed=seed), temperature)

    @property
    def bits(self) -> int:
        """Z, the length of a code."""
        return self.memories[0].bits

    @property
    def warmth(self) -> float:
        """T, given or by the code's length."""
        return self.temperature or _PER_ROOT_BIT * math.sqrt(self.bits)

    def start(self, classes: int) -> RecollectionState:
        """Return the state before any code."""
        states = tuple(memory.start(classes) for memory in self.memories)
        return RecollectionState(states, self.fusion.start(len(states) + 1), np.zeros(3))

    def grow(self, state: RecollectionState, classes: int) -> RecollectionState:
        """Return the state with room for `classes` classes."""
        pairs = zip(self.memories, state.memories, strict=True)
        return state._replace(memories=tuple(memory.grow(of, classes) for memory, of in pairs))

    def recall(self, state: RecollectionState, codes: Bytes) -> Recall:
        """Return what the memories say of codes [R, Z], for at least one class, with what `learn` needs of it."""
        said = [memory.recall(of, codes) for memory, of in zip(self.memories, state.memories, strict=True)]
        logs, by_class = zip(*said, strict=True)
        return self._recalled(state, logs, by_class)

    def hear(self, state: RecollectionState, codes: Bytes, odds: Sequence[Odds | None] = ()) -> Recall:
        """Return what `recall` does, to the bit, but for the `logs`: enough to predict.

        Args:
            state: what is remembered.
            codes: 0 or 1 [R, Z], uint8.
            odds: what `odds` gives for this state, where it is at hand: less time.
        """
        rungs = zip(self.memories, state.memories, odds or [None] * len(self.memories), strict=True)
        by_class = tuple(memory.log_likelihoods(of, codes, looked_up) for memory, of, looked_up in rungs)
        return self._recalled(state, (), by_class)

    def _recalled(self, state: RecollectionState, logs: tuple[Reals, ...], by_class: tuple[Reals, ...]) -> Recall:
        log_p, best = kernels.class_shares(by_class, self.warmth)
        return Recall(logs, log_p, best, kernels.novelties(state.familiar, best))

    def odds(self, state: RecollectionState) -> tuple[Odds | None, ...]:
        """Return what many codes look up in each memory."""
        return tuple(memory.odds(of) for memory, of in zip(self.memories, state.memories, strict=True))

    def votes(self, state: RecollectionState, network: Reals, recalled: Recall) -> Reals:
        """Return the fused probabilities of the network's votes, both [R, S, C], and what was recalled."""
        silent, fresh = stale_classes(state.memories[0], SILENT).share, None
        if silent > 0.0 and self.fusion.freshness > 0.0:
            fresh = np.ones(network.shape[2], np.bool_)
            fresh[stale_classes(state.memories[0], self.replay.patience).classes] = False
        return self.fusion.votes(state.fusion, network, recalled.log_p, silent=silent, fresh=fresh)

    def trust(self, state: RecollectionState, network: Reals, recalled: Recall, index: int) -> RecollectionState:
        """Return the state with trust moved by one label: the network had said `network` [C], memories `recalled`."""
        log_p = kernels.experts(network, recalled.log_p[0])
        familiar = kernels.accustomed(state.familiar, recalled.best[0])
        return state._replace(fusion=self.fusion.learn(state.fusion, log_p, index), familiar=familiar)

    def learn(
        self, state: RecollectionState, recalled: Recall, code: Bytes, index: int, *, counter: int
    ) -> RecollectionState:
        """Return the state with one more code [Z] of class `index`; `recalled` is what `recall` gave for it alone."""
        rungs = zip(self.memories, state.memories, recalled.logs, strict=True)
        learned = tuple(memory.learn(of, code, index, counter=counter, logs=logs[0]) for memory, of, logs in rungs)
        return state._replace(memories=learned)

    def dream(self, state: RecollectionState, *, counter: int) -> Dream | None:
        """Return pseudo-exemplars of what has grown stale in the slowest memory, or None."""
        return self.replay.dream(self.memories[0], state.memories[0], counter=counter)
