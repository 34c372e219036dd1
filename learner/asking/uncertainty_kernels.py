"""`uncertainty` of inputs, compiled: the same numbers without building a tensor for each.

Shapes: R inputs, S passes, C classes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from learner.compiling import compiled

Votes = NDArray[np.float64]


@compiled
def softmax(logits: NDArray[np.float32]) -> Votes:
    """Return the probabilities [R, S, C], float64, of logits [R, S, C]."""
    rows, passes, classes = logits.shape
    p = np.empty((rows, passes, classes), np.float64)
    for r in range(rows):
        for s in range(passes):
            most, total = np.float64(logits[r, s].max()), 0.0
            for c in range(classes):
                p[r, s, c] = math.exp(np.float64(logits[r, s, c]) - most)
                total += p[r, s, c]
            for c in range(classes):
                p[r, s, c] /= total
    return p


@compiled
def summaries(p: Votes) -> tuple[Votes, Votes]:
    """Return predictive entropy, aleatoric, epistemic, variation ratio [R, 4] and mean probabilities [R, C].

    Of votes p [R, S, C].
    """
    rows, passes, classes = p.shape
    numbers, mean = np.empty((rows, 4), np.float64), np.zeros((rows, classes), np.float64)
    modes = np.empty(classes, np.int64)
    for r in range(rows):
        aleatoric = 0.0
        modes[:] = 0
        for s in range(passes):
            modes[np.argmax(p[r, s])] += 1
            aleatoric += _entropy_bits(p[r, s])
            for c in range(classes):
                mean[r, c] += p[r, s, c]
        for c in range(classes):
            mean[r, c] /= passes
        predictive = _entropy_bits(mean[r])
        aleatoric /= passes
        numbers[r, 0], numbers[r, 1] = predictive, aleatoric
        numbers[r, 2], numbers[r, 3] = max(0.0, predictive - aleatoric), 1.0 - modes.max() / passes
    return numbers, mean


@compiled
def _entropy_bits(p: Votes) -> float:
    nats = 0.0
    for c in range(p.size):
        if p[c] > 0.0:
            nats -= p[c] * math.log(p[c])
    return nats / math.log(2.0)
