"""Compiled kernels of Bernoulli mixtures over binary codes, with prototypes in one byte.

A prototype's byte q stands for mu = .01 + .98 q/255, so its log-odds are one of 256 numbers, and a code's likelihood
is a sum of looked-up numbers over its set bits. Bits repeat: one thread, sums in index order.

Shapes: R codes, Z bits of a code, U = C K components side by side (K of each class).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.noise_kernels import words

Bytes = NDArray[np.uint8]
Reals = NDArray[np.float64]
Odds = NDArray[np.float32]

LEAST = 0.01
"""The lowest probability of a bit; the highest is 1 - LEAST."""
_SPAN = (1.0 - 2.0 * LEAST) / 255.0
_LEVELS = LEAST + _SPAN * np.arange(256)
ODDS = np.log(_LEVELS / (1.0 - _LEVELS)).astype(np.float32)
"""log mu/(1 - mu) by byte."""
OFF = np.log(1.0 - _LEVELS)
"""log (1 - mu) by byte."""
_ZERO, _PER_WORD, _CHUNK_BITS, _CHUNK = np.float32(0.0), 4, 16, np.uint64(0xFFFF)
FEW = 8
"""From so many codes on, to look up all log-odds first costs less than to look up what each needs."""
_FIRST_CONSCIENCE, _SLOWEST = 20.0, 0.01
_NOTHING = -60.0
"""Nats below the best component from which another one's share is lost in the sum's rounding, whatever its count."""


@compiled
def log_odds(prototypes: Bytes) -> Odds:
    """Return log mu/(1 - mu) of every bit of every component: what `component_logs_by` adds, [Z, U] of bytes [Z, U]."""
    odds = np.empty(prototypes.shape, np.float32)
    for z in range(prototypes.shape[0]):
        for u in range(prototypes.shape[1]):
            odds[z, u] = ODDS[prototypes[z, u]]
    return odds


@compiled
def component_logs(prototypes: Bytes, off: Reals, codes: Bytes) -> Reals:
    """Return log p(code | component) of all components for each code, [R, U].

    For many codes all log-odds are looked up first, for few those of their set bits: the same to the bit, so that no
    code depends on its neighbours.

    Args:
        prototypes: bytes [Z, U].
        off: sum over bits of log (1 - mu), [U].
        codes: 0 or 1 [R, Z].
    """
    if codes.shape[0] >= FEW:
        many: Reals = component_logs_by(log_odds(prototypes), off, codes)
        return many
    out = np.empty((codes.shape[0], off.size), np.float64)
    for r in range(codes.shape[0]):
        lit, total = set_bits(codes[r]), np.zeros(off.size, np.float32)
        whole = lit.size - lit.size % 4
        for i in range(0, whole, 4):
            a, b, c, d = prototypes[lit[i]], prototypes[lit[i + 1]], prototypes[lit[i + 2]], prototypes[lit[i + 3]]
            for u in range(total.size):
                total[u] = total[u] + ODDS[a[u]] + ODDS[b[u]] + ODDS[c[u]] + ODDS[d[u]]
        for i in range(whole, lit.size):
            for u in range(total.size):
                total[u] += ODDS[prototypes[lit[i], u]]
        for u in range(total.size):
            out[r, u] = off[u] + total[u]
    return out


@compiled
def component_logs_by(odds: Odds, off: Reals, codes: Bytes) -> Reals:
    """Return `component_logs` [R, U], to the bit, where the log-odds [Z, U] are at hand: eight bits added at a time."""
    out, total = np.empty((codes.shape[0], off.size), np.float64), np.empty(off.size, np.float32)
    for r in range(codes.shape[0]):
        lit = set_bits(codes[r])
        whole = lit.size - lit.size % 8
        total[:] = _ZERO
        for i in range(0, whole, 8):
            a, b, c, d = odds[lit[i]], odds[lit[i + 1]], odds[lit[i + 2]], odds[lit[i + 3]]
            e, f, g, h = odds[lit[i + 4]], odds[lit[i + 5]], odds[lit[i + 6]], odds[lit[i + 7]]
            for u in range(total.size):
                total[u] = total[u] + a[u] + b[u] + c[u] + d[u] + e[u] + f[u] + g[u] + h[u]
        for i in range(whole, lit.size):
            for u in range(total.size):
                total[u] += odds[lit[i], u]
        for u in range(total.size):
            out[r, u] = off[u] + total[u]
    return out


@compiled
def set_bits(code: Bytes) -> NDArray[np.int64]:
    """Return where a code [Z] is 1, in order."""
    lit, count = np.empty(code.size + 1, np.int64), 0
    for z in range(code.size):
        lit[count] = z
        count += int(code[z] != 0)
    return lit[:count]


@compiled
def recalled(
    prototypes: Bytes, off: Reals, counts: NDArray[np.int64], codes: Bytes, unknown: Number
) -> tuple[Reals, Reals]:
    """Return `component_logs` [R, C K] and `class_logs` [R, C] of codes [R, Z], of prototypes [Z, C, K]."""
    logs = component_logs(prototypes.reshape(prototypes.shape[0], counts.size), off.reshape(-1), codes)
    return logs, class_logs(logs, counts, unknown)


@compiled
def recalled_by(
    odds: Odds, off: Reals, counts: NDArray[np.int64], codes: Bytes, unknown: Number
) -> tuple[Reals, Reals]:
    """Return the same as `recalled`, to the bit, by log-odds [Z, C K]."""
    logs = component_logs_by(odds, off.reshape(-1), codes)
    return logs, class_logs(logs, counts, unknown)


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
def class_logs(logs: Reals, counts: NDArray[np.int64], unknown: Number) -> Reals:
    """Return log p(code | class) = logsumexp_k(log pi_k + log p(code | component k)) for each code, [R, C].

    Args:
        logs: log p(code | component) [R, C K].
        counts: codes that each component took in [C, K]; 0 where there is no component yet.
        unknown: what a class without any component gets.
    """
    classes, components = counts.shape
    out = np.full((logs.shape[0], classes), unknown, np.float64)
    for c in range(classes):
        taken = counts[c].sum()
        if taken:
            for r in range(logs.shape[0]):
                own = logs[r, c * components : (c + 1) * components]
                out[r, c] = _log_mixture(own, counts[c], taken)
    return out


@compiled
def _log_mixture(logs: Reals, counts: NDArray[np.int64], taken: int) -> Number:
    most, total = -np.inf, 0.0
    for k in range(counts.size):
        if counts[k]:
            most = max(most, logs[k])
    for k in range(counts.size):
        if counts[k] and logs[k] - most > _NOTHING:
            total += counts[k] * math.exp(logs[k] - most)
    return most + math.log(total / taken)


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
        prototypes[z, unit] = np.uint8(round((mu - LEAST) / _SPAN))
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
        mu = LEAST + _SPAN * prototypes[z, unit]
        byte = (mu + rate * (code[z] - mu) - LEAST) / _SPAN + (np.float64(chunk) + 0.5) / 65536.0
        prototypes[z, unit] = np.uint8(min(255.0, max(0.0, math.floor(byte))))
        off += OFF[prototypes[z, unit]]
    return off


@compiled
def expected_logs(prototypes: Bytes, unit: int) -> tuple[Number, Number]:
    """Return mean and variance of log p(code | component) over the component's own codes."""
    mean, variance = 0.0, 0.0
    for z in range(prototypes.shape[0]):
        mu = LEAST + _SPAN * prototypes[z, unit]
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
            out[r, z] = LEAST + _SPAN * prototypes[z, units[r]]
    return out
