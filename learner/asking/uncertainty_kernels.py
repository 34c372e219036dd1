"""`uncertainty` of one input, compiled: the same numbers without building a tensor for each."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import compiled

Votes = NDArray[np.float64]


@compiled
def softmax(logits: NDArray[np.float32]) -> Votes:
    """Return the probabilities [S, C], float64, of logits [S, C]."""
    p = np.empty(logits.shape, np.float64)
    for s in range(len(p)):
        most, total = np.float64(logits[s].max()), 0.0
        for c in range(p[0].size):
            p[s, c] = math.exp(np.float64(logits[s, c]) - most)
            total += p[s, c]
        for c in range(p[0].size):
            p[s, c] /= total
    return p


@compiled
def summary(p: Votes) -> tuple[Votes, Votes]:
    """Return (predictive entropy, aleatoric, epistemic, variation ratio) and the mean probabilities [C] of p [S, C]."""
    passes, classes = len(p), p[0].size
    mean, modes, aleatoric = np.zeros(classes, np.float64), np.zeros(classes, np.int64), 0.0
    for s in range(passes):
        modes[np.argmax(p[s])] += 1
        aleatoric += _entropy_bits(p[s])
        for c in range(classes):
            mean[c] += p[s, c]
    for c in range(classes):
        mean[c] /= passes
    predictive = _entropy_bits(mean)
    aleatoric /= passes
    ratio = 1.0 - modes.max() / passes
    return np.array([predictive, aleatoric, max(0.0, predictive - aleatoric), ratio]), mean


@compiled
def _entropy_bits(p: Votes) -> float:
    nats = 0.0
    for c in range(p.size):
        if p[c] > 0.0:
            nats -= p[c] * math.log(p[c])
    return nats / math.log(2.0)
