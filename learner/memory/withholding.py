"""What a memory shows when it is exported: a component that took in one sample is nearly that sample.

Two ways to leave such components out: `withheld` drops them, `merged` adds each to the nearest of its class that has
seen enough. Neither is a proof of privacy: a component of few samples still tells of each of them, and a merged one
keeps its share of the mean. Raise `least` where that matters.

Shapes: Z bits of a code, C classes, K components of a class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.memory.likelihood_kernels import OFF
from learner.memory.mixture import MemoryState


def withheld(state: MemoryState, least: int = 2) -> MemoryState:
    """Return the state without components that took in fewer than `least` codes.

    What is left moves to the front of its class, as a memory keeps its components. A class that loses all of them is
    like one never seen; its `spread` goes too. A `SparseMemory`'s class is one component.

    Args:
        state: left as it is.
        least: the fewest codes of a component that is kept, >= 1.

    Raises:
        ValueError: where `least` is below 1.

    Example:
        >>> from learner.memory.mixture import GenerativeMemory
        >>> memory = GenerativeMemory(bits=4, components=2)
        >>> state = memory.start(1)
        >>> for counter, bit in enumerate((0, 1, 1), 1):
        ...     state = memory.learn(state, np.full(4, bit, np.uint8), 0, counter=counter)
        >>> state.counts.tolist(), withheld(state).counts.tolist()
        ([[1, 2]], [[2, 0]])
    """
    return _kept(state, state.counts >= _checked(least))


def merged(state: MemoryState, least: int = 2) -> MemoryState:
    """Return a mixture whose components with fewer than `least` codes are merged into the nearest of their class.

    Nearest is the component with at least `least` codes whose mu is closest by sum_d (mu_d - mu'_d)^2, the first of
    equals. It becomes the mean weighted by counts, rounded to bytes::

        mu <- (n mu + sum_j n_j mu_j)/(n + sum_j n_j)        n <- n + sum_j n_j        last <- the latest of them

    A class without any component to merge into is withheld, as `withheld` has it.

    Args:
        state: of a `GenerativeMemory`, left as it is.
        least: the fewest codes of a component that stands for itself, >= 1.

    Raises:
        ValueError: where `least` is below 1, or the state is not a mixture's.

    Example:
        >>> from learner.memory.mixture import GenerativeMemory
        >>> memory = GenerativeMemory(bits=4, components=2)
        >>> state = memory.start(1)
        >>> for counter, bit in enumerate((0, 1, 1), 1):
        ...     state = memory.learn(state, np.full(4, bit, np.uint8), 0, counter=counter)
        >>> merged(state).counts.tolist()
        [[3, 0]]
    """
    if state.prototypes.dtype != np.uint8:
        raise ValueError(f"state must be a mixture's, with prototypes of one byte, got {state.prototypes.dtype}")
    large = state.counts >= _checked(least)
    prototypes, counts = state.prototypes.copy(), state.counts.copy()
    last, off = state.last.copy(), state.off.copy()
    for index in np.flatnonzero((~large & (counts > 0)).any(axis=1) & large.any(axis=1)):
        targets = np.flatnonzero(large[index])
        small = np.flatnonzero(~large[index] & (state.counts[index] > 0))
        nearest = targets[_distances(state.prototypes[:, index], small, targets).argmin(axis=1)]
        for k in np.unique(nearest):
            group = np.concatenate([[k], small[nearest == k]])
            weights = state.counts[index, group]
            mean = state.prototypes[:, index, group] @ weights.astype(np.float64) / weights.sum()
            prototypes[:, index, k] = np.rint(mean).astype(np.uint8)
            counts[index, k] = weights.sum()
            last[index, k] = state.last[index, group].max()
            off[index, k] = OFF[prototypes[:, index, k]].sum()
    return _kept(MemoryState(prototypes, counts, last, off, state.spread), large)


def _checked(least: int) -> int:
    if least < 1:
        raise ValueError(f"least must be >= 1, got {least}")
    return least


def _distances(prototypes: NDArray[np.uint8], some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the squared distances, in steps of a byte, of components `some` from `others` [some, others]."""
    whole = prototypes.T.astype(np.int64)
    distances: NDArray[np.int64] = ((whole[some, None] - whole[None, others]) ** 2).sum(axis=2)
    return distances


def _kept(state: MemoryState, kept: NDArray[np.bool_]) -> MemoryState:
    """Return the state with components `kept` [C, K] only, at the front of their class; the rest is zeros."""
    order = np.argsort(~kept, axis=1, kind="stable")
    there = np.take_along_axis(kept, order, axis=1)
    return MemoryState(
        np.where(there, np.take_along_axis(state.prototypes, order[None], axis=2), 0).astype(state.prototypes.dtype),
        np.where(there, np.take_along_axis(state.counts, order, axis=1), 0),
        np.where(there, np.take_along_axis(state.last, order, axis=1), 0),
        np.where(there, np.take_along_axis(state.off, order, axis=1), 0.0),
        np.where(there.any(axis=1, keepdims=True), state.spread, 0.0),
    )
