"""Compiled kernels of what a code is worth to Bernoulli mixtures whose prototypes are bytes.

A prototype's byte q stands for mu = .01 + .98 q/255, so its log-odds are one of 256 numbers, and a code's likelihood
is a sum of looked-up numbers over its set bits. Bits repeat: one thread, sums in a fixed order.

Shapes: R codes, Z bits of a code, U = C K components side by side (K of each class).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.sum_kernels import lane_sum, lanes_of_a_sum

Bytes = NDArray[np.uint8]
Reals = NDArray[np.float64]
Odds = NDArray[np.float32]

LEAST = 0.01
"""The lowest probability of a bit; the highest is 1 - LEAST."""
SPAN = (1.0 - 2.0 * LEAST) / 255.0
"""How far one step of a byte moves a probability."""
_LEVELS = LEAST + SPAN * np.arange(256)
ODDS = np.log(_LEVELS / (1.0 - _LEVELS)).astype(np.float32)
"""log mu/(1 - mu) by byte."""
OFF = np.log(1.0 - _LEVELS)
"""log (1 - mu) by byte."""
FEW = 8
"""From so many codes on, to look up all log-odds first costs less than to look up what each needs."""
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_LANES = 8
_FARTHEST = np.float32(-80.0)
"""Nats below the best component from which another one's share is lost in the sum, whatever its count."""

_PER_NAT, _ROUNDING = np.float32(1.0 / math.log(2.0)), np.float32(1.5 * 2**23)
# log 2 in two parts: the first has so few bits that its multiples are exact.
_NATS, _MORE_NATS = np.float32(0.693359375), np.float32(math.log(2.0) - 0.693359375)
_FACTORIALS = tuple(np.float32(1.0 / math.factorial(n)) for n in range(2, 8))
_BIAS, _ONE_UP = np.int32(127), np.int32(1 << 23)


@compiled
def log_odds(prototypes: Bytes) -> Odds:
    """Return log mu/(1 - mu) of every bit of every component: what `likelihoods_by` adds, [Z, U] of bytes [Z, U]."""
    odds = np.empty(prototypes.shape, np.float32)
    for z in range(prototypes.shape[0]):
        for u in range(prototypes.shape[1]):
            odds[z, u] = ODDS[prototypes[z, u]]
    return odds


@compiled
def component_logs(prototypes: Bytes, off: Reals, codes: Bytes) -> Reals:
    """Return log p(code | component) of all components for each code, [R, U].

    Of each code those log-odds are looked up that its set bits need, four bits at a time.

    Args:
        prototypes: bytes [Z, U].
        off: sum over bits of log (1 - mu), [U].
        codes: 0 or 1 [R, Z].
    """
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
def _component_logs_of(odds: Odds, off: Reals, code: Bytes, total: Odds, logs: Reals) -> None:
    """Write `component_logs` [U] of one code [Z], to the bit, by log-odds [Z, U] at hand, eight bits at a time.

    `total` [U] is scratch.
    """
    lit = set_bits(code)
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
        logs[u] = off[u] + total[u]


@compiled
def set_bits(code: Bytes) -> NDArray[np.uint32]:
    """Return where a code [Z] is 1, in order."""
    lit, count = np.empty(code.size + 1, np.uint32), 0
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
def likelihoods_by(odds: Odds, off: Reals, counts: NDArray[np.int64], codes: Bytes, unknown: Number) -> Reals:
    """Return the `class_logs` [R, C] that `recalled` gives, to the bit, by log-odds [Z, C K].

    No code's `component_logs` are kept.
    """
    out = np.full((codes.shape[0], counts.shape[0]), unknown, np.float64)
    total, logs = np.empty(counts.size, np.float32), np.empty(counts.size, np.float64)
    census, scratch = _census(counts), _scratch(counts.size)
    for r in range(codes.shape[0]):
        _component_logs_of(odds, off.reshape(-1), codes[r], total, logs)
        _class_logs_of(logs, census, scratch, out[r])
    return out


@compiled
def class_logs(logs: Reals, counts: NDArray[np.int64], unknown: Number) -> Reals:
    """Return log p(code | class) = logsumexp_k(log pi_k + log p(code | component k)) for each code, [R, C].

    The sum is made in float32, relative to the best component: within 2e-6 nats.

    Args:
        logs: log p(code | component) [R, C K].
        counts: codes that each component took in [C, K]; 0 where there is no component yet. Those that there are
            stand at the front of their class.
        unknown: what a class without any component gets.
    """
    out = np.full((logs.shape[0], counts.shape[0]), unknown, np.float64)
    census, scratch = _census(counts), _scratch(counts.size)
    for r in range(logs.shape[0]):
        _class_logs_of(logs[r], census, scratch, out[r])
    return out


@compiled
def _census(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], Reals, Odds]:
    """Return how many components each class has [C], log n_c [C], and how often each component is taken [C K]."""
    classes, components = counts.shape
    live, taken = np.zeros(classes, np.int64), np.ones(classes, np.float64)
    counted = np.empty(counts.size, np.float32)
    for c in range(classes):
        for k in range(components):
            live[c] += int(counts[c, k] > 0)
            counted[c * components + k] = counts[c, k]
        taken[c] = math.log(max(1, counts[c].sum()))
    return live, taken, counted


@compiled
def _scratch(components: int) -> tuple[Odds, Odds, NDArray[np.int32], Reals, Odds]:
    apart, share = np.zeros(components, np.float32), np.empty(components, np.float32)
    return apart, share, np.empty(components, np.int32), np.empty(_LANES, np.float64), lanes_of_a_sum()


@compiled
def _class_logs_of(
    logs: Reals,
    census: tuple[NDArray[np.int64], Reals, Odds],
    scratch: tuple[Odds, Odds, NDArray[np.int32], Reals, Odds],
    out: Reals,
) -> None:
    """Write `class_logs` [C] of one code with `component_logs` logs [C K]; left as it is where a class has none."""
    live, taken, counted = census
    apart, share, power, lanes, sums = scratch
    components = logs.size // max(1, live.size)
    for c in range(live.size):
        if live[c]:
            own, away = logs[c * components :][: live[c]], apart[c * components :][: live[c]]
            most = _most(own, lanes)
            out[c] = most
            for k in range(own.size):
                away[k] = max(own[k] - most, _FARTHEST)
    _shares(apart, counted, share, power)
    for c in range(live.size):
        if live[c]:
            out[c] += math.log(lane_sum(share[c * components :][: live[c]], sums)) - taken[c]


@compiled
def _shares(apart: Odds, counted: Odds, share: Odds, power: NDArray[np.int32]) -> None:
    """Write counted e^apart, [U]: e^x = 2^n e^r, n = round(x/log 2), e^r by seven terms of its series.

    Args:
        apart: -80 … 0 [U].
        counted: how often each is taken [U].
        share: written [U].
        power: scratch [U].
    """
    c2, c3, c4, c5, c6, c7 = _FACTORIALS
    for u in range(apart.size):
        n = (apart[u] * _PER_NAT + _ROUNDING) - _ROUNDING
        r = (apart[u] - n * _NATS) - n * _MORE_NATS
        series = _ONE + r * (_ONE + r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * c7))))))
        share[u] = counted[u] * series
        power[u] = (np.int32(n) + _BIAS) * _ONE_UP
    by = power.view(np.float32)
    for u in range(apart.size):
        share[u] *= by[u]


@compiled
def _most(values: Reals, lanes: Reals) -> Number:
    """Return the greatest of values [N], N >= 1; `lanes` is scratch."""
    most, whole = values[0], values.size - values.size % _LANES
    if whole:
        lanes[:] = values[:_LANES]
        first = _LANES
        while first + 3 * _LANES <= whole:
            v = values[first : first + 3 * _LANES]
            for j in range(_LANES):
                lanes[j] = max(lanes[j], v[j], v[j + 8], v[j + 16])
            first += 3 * _LANES
        for at in range(first, whole, _LANES):
            for j in range(_LANES):
                lanes[j] = max(lanes[j], values[at + j])
        for j in range(4):
            lanes[j] = max(lanes[j], lanes[j + 4])
        most = max(lanes[0], lanes[1], lanes[2], lanes[3])
    for k in range(whole, values.size):
        most = max(most, values[k])
    return most
