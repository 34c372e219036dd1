"""Compiled kernels by which Bernoulli mixtures over binary codes learn, with prototypes in one byte.

Bits repeat: one thread, sums in index order.

Shapes: R codes, Z bits of a code, U = C K components side by side (K of each class).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.memory.likelihood_kernels import LEAST, OFF, SPAN, Bytes, Reals, component_logs
from learner.noise_kernels import words

_PER_WORD, _CHUNK_BITS, _CHUNK = 4, 16, np.uint64(0xFFFF)
_FIRST_CONSCIENCE, _SLOWEST = 20.0, 0.01


@compiled
def overdue(
    counts: NDArray[np.int64], last: NDArray[np.int64], patience: Number
) -> tuple[NDArray[np.int64], int, Number]:
    """Return the classes with (t - last_c) n_c > patience t, how many were ever seen, and the former's share of t.

    Args:
        counts: codes that each component took in [C, K].
        last: how many labels there were when each component took in its last [C, K].
        patience: usual intervals that a class may be missing.
    """
    seen, stale = np.empty(len(counts), np.int64), np.empty(len(counts), np.int64)
    for c in range(seen.size):
        seen[c] = counts[c].sum()
    now, found, live, labels = seen.sum(), 0, 0, 0
    for c in range(seen.size):
        newest = 0
        for k in range(counts.shape[1]):
            newest = max(newest, last[c, k])
        live += int(seen[c] > 0)
        if seen[c] > 0 and (now - newest) * seen[c] > patience * now:
            stale[found] = c
            found += 1
            labels += seen[c]
    return stale[:found].copy(), live, labels / max(1, now)


@compiled
def most_willing(logs: Reals, counts: NDArray[np.int64], conscience: Number) -> int:
    """Return argmax_k log p_k - conscience n_k / mean(n) over a class's components [K] that exist."""
    taken, live = 0, 0
    for k in range(counts.size):
        taken += counts[k]
        live += int(counts[k] > 0)
    best, most = 0, -np.inf
    for k in range(counts.size):
        if counts[k]:
            willing = logs[k] - conscience * counts[k] * live / taken
            if willing > most:
                best, most = k, willing
    return best


@compiled
def take_in(
    state: tuple[Bytes, NDArray[np.int64], NDArray[np.int64], Reals, Reals],
    logs: Reals,
    code: Bytes,
    index: int,
    rate_floor: Number,
    surprise: Number,
    key: tuple[Number, Number, Number, Number],
) -> None:
    """Take one code of class `index` into prototypes, counts, last, off and spread, all written.

    Args:
        state: these five.
        logs: log p(code | component) [U] before.
        code: 0 or 1 [Z].
        index: the class.
        rate_floor: the slowest rate of a component.
        surprise: tau, above which a new component starts; 0: wherever there is room.
        key: of the rounding's noise: seed, counter, purpose, lane.
    """
    prototypes, counts, last, off, spread = state
    flat, components = prototypes.reshape(prototypes.shape[0], counts.size), counts.shape[1]
    first, live = index * components, np.count_nonzero(counts[index])
    own = logs[first : first + components]
    if live == 0 or (live < components and _surprising(flat, first, own[:live], surprise)):
        k = live
        off[index, k] = imprint(flat, first + k, code)
    else:
        conscience = math.sqrt(spread[index, 1])
        k = most_willing(own, counts[index], conscience if conscience > 0.0 else _FIRST_CONSCIENCE)
        rate = max(1.0 / (counts[index, k] + 1.0), rate_floor)
        off[index, k] = drift_towards(flat, first + k, code, rate, key)
        slow = max(1.0 / (counts[index].sum() + 1.0), _SLOWEST)
        apart = own[:live].max() - spread[index, 0]
        spread[index, 0] += slow * apart
        spread[index, 1] = (1.0 - slow) * (spread[index, 1] + slow * apart * apart)
    counts[index, k] += 1
    last[index, k] = counts.sum()


@compiled
def take_in_each(
    state: tuple[Bytes, NDArray[np.int64], NDArray[np.int64], Reals, Reals],
    codes: Bytes,
    labels: NDArray[np.int64],
    rate_floor: Number,
    surprise: Number,
    key: tuple[Number, Number, Number, Number],
) -> None:
    """Do as `take_in` for each of codes [R, Z] of classes [R] in turn, to the bit; code r has counter + r.

    What a code is to other classes is not asked: none of it counts.
    """
    prototypes, counts, off = state[0], state[1], state[3]
    flat, components = prototypes.reshape(prototypes.shape[0], counts.size), counts.shape[1]
    logs = np.zeros(counts.size, np.float64)
    for r in range(codes.shape[0]):
        first = labels[r] * components
        own = flat[:, first : first + components]
        logs[first : first + components] = component_logs(own, off[labels[r]], codes[r : r + 1])[0]
        at = (key[0], key[1] + np.uint64(r), key[2], key[3])
        take_in(state, logs, codes[r], labels[r], rate_floor, surprise, at)


@compiled
def _surprising(prototypes: Bytes, first: int, logs: Reals, surprise: Number) -> bool:
    """Return whether max_k (log p_k - E_k)/sqrt(V_k) < -surprise over a class's components."""
    if surprise == 0.0:
        return True
    most = -np.inf
    for k in range(logs.size):
        mean, variance = expected_logs(prototypes, first + k)
        most = max(most, (logs[k] - mean) / math.sqrt(variance))
    return bool(most < -surprise)


@compiled
def imprint(prototypes: Bytes, unit: int, code: Bytes) -> Number:
    """Write a new component, mu = .1 + .8 code; return its sum of log (1 - mu)."""
    off = 0.0
    for z in range(code.size):
        mu = 0.1 + 0.8 * code[z]
        prototypes[z, unit] = np.uint8(round((mu - LEAST) / SPAN))
        off += OFF[prototypes[z, unit]]
    return off


@compiled
def drift_towards(
    prototypes: Bytes, unit: int, code: Bytes, rate: Number, key: tuple[Number, Number, Number, Number]
) -> Number:
    """Move mu += rate (code - mu) of one component, rounded at random so that its mean is kept; return the new off."""
    drawn = words(key[0], key[1], key[2], key[3], (code.size + _PER_WORD - 1) // _PER_WORD)
    off = 0.0
    for z in range(code.size):
        chunk = (drawn[z // _PER_WORD] >> np.uint64(_CHUNK_BITS * (z % _PER_WORD))) & _CHUNK
        mu = LEAST + SPAN * prototypes[z, unit]
        byte = (mu + rate * (code[z] - mu) - LEAST) / SPAN + (np.float64(chunk) + 0.5) / 65536.0
        prototypes[z, unit] = np.uint8(min(255.0, max(0.0, math.floor(byte))))
        off += OFF[prototypes[z, unit]]
    return off


@compiled
def expected_logs(prototypes: Bytes, unit: int) -> tuple[Number, Number]:
    """Return mean and variance of log p(code | component) over the component's own codes."""
    mean, variance = 0.0, 0.0
    for z in range(prototypes.shape[0]):
        mu = LEAST + SPAN * prototypes[z, unit]
        odds = math.log(mu / (1.0 - mu))
        mean += mu * odds + math.log(1.0 - mu)
        variance += mu * (1.0 - mu) * odds * odds
    return mean, variance


@compiled
def chances(prototypes: Bytes, units: NDArray[np.int64]) -> Reals:
    """Return mu of components `units` [R], as [R, Z]."""
    out = np.empty((units.size, prototypes.shape[0]), np.float64)
    for r in range(units.size):
        for z in range(prototypes.shape[0]):
            out[r, z] = LEAST + SPAN * prototypes[z, units[r]]
    return out


@compiled
def drawn(
    counts: NDArray[np.int64], classes: NDArray[np.int64], u: Reals
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return R draws: classes evenly, and of each a component by its counts, as indices [R] of class and component.

    Args:
        counts: codes that each component took in [C, K].
        classes: those to draw from.
        u: numbers in (0, 1) [2 R], for the classes and then for the components.
    """
    size = u.size // 2
    labels, units = np.empty(size, np.int64), np.empty(size, np.int64)
    for r in range(size):
        label = classes[int(u[r] * classes.size)]
        taken, total, component = 0, counts[label].sum(), 0
        for k in range(counts.shape[1]):
            taken += counts[label, k]
            component += int(taken / total <= u[size + r])
        labels[r], units[r] = label, label * counts.shape[1] + component
    return labels, units


@compiled
def lit(chances: Reals, noise: Reals) -> Bytes:
    """Return which bits are set, [R, Z], of their probabilities [R, Z] and numbers in (0, 1) [R Z]."""
    codes = np.empty(chances.shape, np.uint8)
    for r in range(chances.shape[0]):
        for z in range(chances.shape[1]):
            codes[r, z] = noise[r * chances.shape[1] + z] < chances[r, z]
    return codes
