"""Compiled kernels of fusion: several experts' probabilities become one.

Shapes: R inputs, S votes, C classes, M memories, E = M + 1 experts (the network first), E + 1 voices (the experts
and their pool).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled

Reals = NDArray[np.float64]

_LEAST_P = 1e-300
_SLOWEST = 0.01


@compiled
def class_shares(logs: tuple[Reals, ...], temperature: Number) -> tuple[Reals, Reals]:
    """Return log softmax(log p/temperature) over each memory's classes [R, M, C], and the first one's greatest log p.

    Args:
        logs: log p(code | class) of each memory [R, C].
        temperature: T > 0.
    """
    rows, classes = logs[0].shape
    out, best = np.empty((rows, len(logs), classes), np.float64), np.empty(rows, np.float64)
    for m in range(len(logs)):
        for r in range(rows):
            most, total = logs[m][r].max(), 0.0
            for c in range(classes):
                out[r, m, c] = (logs[m][r, c] - most) / temperature
                total += math.exp(out[r, m, c])
            for c in range(classes):
                out[r, m, c] -= math.log(total)
            if m == 0:
                best[r] = most
    return out, best


@compiled
def voice_weights(evidence: Reals, floor: Number) -> Reals:
    """Return (1 - (E+1) floor) softmax(evidence) + floor, [E + 1]."""
    out = np.empty_like(evidence)
    most, total = evidence.max(), 0.0
    for e in range(out.size):
        out[e] = math.exp(evidence[e] - most)
        total += out[e]
    for e in range(out.size):
        out[e] = (1.0 - out.size * floor) * out[e] / total + floor
    return out


@compiled
def pooled(log_p: Reals, weights: Reals) -> Reals:
    """Return softmax_c(sum_e weights_e log p_e(c)), [C], of log probabilities [E, C]."""
    out = np.zeros(log_p[0].size, np.float64)
    for e in range(len(log_p)):
        for c in range(out.size):
            out[c] += weights[e] * log_p[e, c]
    most, total = out.max(), 0.0
    for c in range(out.size):
        out[c] = math.exp(out[c] - most)
        total += out[c]
    for c in range(out.size):
        out[c] /= total
    return out


@compiled
def fused(votes: Reals, remembered: Reals, voices: Reals, weights: Reals) -> Reals:
    """Return every vote's fused probabilities [R, S, C].

    p_s = v_0 q_s + sum_m v_m r_m + v_E pool(q_s, r), with the network's vote q_s and the memories' r_m.

    Args:
        votes: the network's probabilities [R, S, C].
        remembered: the memories' log probabilities [R, M, C].
        voices: weights of experts and pool in the sum [E + 1].
        weights: exponents of the pool [E].
    """
    rows, passes, classes = votes.shape
    out = np.empty_like(votes)
    told, said = np.empty(classes, np.float64), np.empty(classes, np.float64)
    for r in range(rows):
        told[:] = 0.0
        said[:] = 0.0
        for m in range(remembered.shape[1]):
            for c in range(classes):
                told[c] += weights[m + 1] * remembered[r, m, c]
                said[c] += voices[m + 1] * math.exp(remembered[r, m, c])
        for s in range(passes):
            most, total = -np.inf, 0.0
            for c in range(classes):
                out[r, s, c] = told[c] + weights[0] * math.log(max(votes[r, s, c], _LEAST_P))
                most = max(most, out[r, s, c])
            for c in range(classes):
                out[r, s, c] = math.exp(out[r, s, c] - most)
                total += out[r, s, c]
            for c in range(classes):
                pool = voices[voices.size - 1] * out[r, s, c] / total
                out[r, s, c] = pool + said[c] + voices[0] * votes[r, s, c]
    return out


@compiled
def heard(
    votes: Reals, remembered: Reals, voices: Reals, weights: Reals, silence: tuple[Number, Number, Reals]
) -> Reals:
    """Return `fused`, and a share of the plain product of the network and the slowest memory in it, [R, S, C].

    Args:
        votes: the network's probabilities [R, S, C].
        remembered: the memories' log probabilities [R, M, C].
        voices: weights of experts and pool in the sum [E + 1].
        weights: exponents of the pool [E].
        silence: the product's share, 0 … 1, its exponent of the slowest memory, and what the network's word for each
            class counts in it [C].
    """
    said: Reals = fused(votes, remembered, voices, weights)
    share, recall, counting = silence
    if share <= 0.0:
        return said
    product, alone = np.zeros_like(weights), np.zeros_like(voices)
    product[0], product[1], alone[alone.size - 1] = 1.0, recall, 1.0
    plain: Reals = fused(votes * counting, remembered, alone, product)
    both: Reals = (1.0 - share) * said + share * plain
    return both


@compiled
def experts(network: Reals, remembered: Reals) -> Reals:
    """Return the log probabilities of all experts [E, C], of the network's [C] and the memories' log ones [M, C]."""
    out = np.empty((remembered.shape[0] + 1, network.size), np.float64)
    for c in range(network.size):
        out[0, c] = math.log(max(network[c], _LEAST_P))
        for m in range(remembered.shape[0]):
            out[m + 1, c] = remembered[m, c]
    return out


@compiled
def witnessed(
    log_p: Reals, index: int, weights: Reals, evidence: Reals, settings: Reals
) -> tuple[Reals, Reals, Number]:
    """Return evidence and weights after one label, and the pool's surprise at it in nats.

    Args:
        log_p: the experts' log probabilities before the label [E, C].
        index: the label's class.
        weights: exponents of the pool [E].
        evidence: fading log-likelihood of every voice [E + 1].
        settings: fade, rate of the weights, bound of one step's slope.
    """
    pool = pooled(log_p, weights)
    fade, rate, bound = settings[0], settings[1], settings[2]
    after, moved = np.empty_like(evidence), np.empty_like(weights)
    for e in range(len(log_p)):
        expected = 0.0
        for c in range(pool.size):
            expected += pool[c] * log_p[e, c]
        slope = min(max(log_p[e, index] - expected, -bound), bound)
        moved[e] = max(0.0, weights[e] + rate * slope)
        after[e] = fade * evidence[e] + log_p[e, index]
    surprise = -math.log(max(pool[index], _LEAST_P))
    after[after.size - 1] = fade * evidence[after.size - 1] - surprise
    return after, moved, surprise


@compiled
def accustomed(familiar: Reals, best: Number) -> Reals:
    """Return how many inputs were seen, and mean and variance of what they were worth to memory, with one more [3]."""
    out = np.empty(3, np.float64)
    rate = max(1.0 / (familiar[0] + 1.0), _SLOWEST)
    apart = best - familiar[1]
    out[0], out[1] = familiar[0] + 1.0, familiar[1] + rate * apart
    out[2] = (1.0 - rate) * (familiar[2] + rate * apart * apart)
    return out


@compiled
def novelties(familiar: Reals, best: Reals) -> Reals:
    """Return by how many deviations each of `best` [R] is below the usual, [R]; 0 while nothing is usual."""
    deviation = math.sqrt(familiar[2]) if familiar[0] >= 2.0 and familiar[2] > 0.0 else math.inf
    novel: Reals = (familiar[1] - best) / deviation + 0.0  # never -0
    return novel
