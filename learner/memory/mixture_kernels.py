"""Compiled kernels of Bernoulli mixtures over binary codes, with prototypes in one byte.

A prototype's byte q stands for mu = .01 + .98 q/255, so its log-odds are one of 256 numbers, and a code's likelihood
is a sum of looked-up numbers over its set bits. Bits repeat: one thread, sums in index order.

Shapes: Z bits of a code, U = C K components side by side (K of each class).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled
from learner.noise_kernels import words

Bytes = NDArray[np.uint8]
Reals = NDArray[np.float64]

LEAST = 0.01
"""The lowest probability of a bit; the highest is 1 - LEAST."""
_SPAN = (1.0 - 2.0 * LEAST) / 255.0
_LEVELS = LEAST + _SPAN * np.arange(256)
ODDS = np.log(_LEVELS / (1.0 - _LEVELS)).astype(np.float32)
"""log mu/(1 - mu) by byte."""
OFF = np.log(1.0 - _LEVELS)
"""log (1 - mu) by byte."""
_ZERO, _PER_WORD, _CHUNK_BITS, _CHUNK = np.float32(0.0), 4, 16, np.uint64(0xFFFF)


@compiled
def component_logs(prototypes: Bytes, off: Reals, code: Bytes) -> Reals:
    """Return log p(code | component) of all components [U].

    Args:
        prototypes: bytes [Z, U].
        off: sum over bits of log (1 - mu), [U].
        code: 0 or 1 [Z].
    """
    total = np.zeros(prototypes.shape[1], np.float32)
    for z in range(code.size):
        if code[z]:
            row = prototypes[z]
            for u in range(row.size):
                total[u] += ODDS[row[u]]
    return off + total


@compiled
def class_logs(logs: Reals, counts: NDArray[np.int64], unknown: Number) -> Reals:
    """Return log p(code | class) = logsumexp_k(log pi_k + log p(code | component k)), [C].

    Args:
        logs: log p(code | component) [C K].
        counts: codes that each component took in [C, K]; 0 where there is no component yet.
        unknown: what a class without any component gets.
    """
    classes, components = counts.shape
    out = np.full(classes, unknown, np.float64)
    for c in range(classes):
        taken, most = 0, -np.inf
        for k in range(components):
            taken += counts[c, k]
            if counts[c, k]:
                most = max(most, logs[c * components + k])
        if taken:
            total = 0.0
            for k in range(components):
                if counts[c, k]:
                    total += counts[c, k] * math.exp(logs[c * components + k] - most)
            out[c] = most + math.log(total / taken)
    return out


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
    prototypes: Bytes,
    unit: int,
    code: Bytes,
    rate: Number,
    seed: Number,
    counter: Number,
    purpose: Number,
    lane: Number,
) -> Number:
    """Move mu += rate (code - mu) of one component, rounded at random so that its mean is kept; return the new off."""
    drawn = words(seed, counter, purpose, lane, (code.size + _PER_WORD - 1) // _PER_WORD)
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
