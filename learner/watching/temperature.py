"""A temperature on probabilities, fitted as labels come, so that confidence means how often the learner is right.

Shapes: C classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float64]

_LEAST = 1e-12
"""Probabilities are raised to this before their logarithm is taken."""


class TemperatureState(NamedTuple):
    """The logarithm of the temperature, and how many labels it was fitted on."""

    log_temperature: float
    seen: int


@dataclass(frozen=True, slots=True)
class Temperature:
    """A temperature T on probabilities, q_c ~ p_c^(1/T), that follows the slope of its own log-loss at every label.

    -log q_y has the slope (log p_y - sum_c q_c log p_c)/T by log T. Each label moves log T against it::

        log T <- log T - rate clip(slope, -bound, bound),   kept within +-log most

    T > 1 makes the sure less sure, T < 1 surer. The most probable class stays the most probable.

    Args:
        rate: step, > 0.
        bound: the most that one label counts, in nats, > 0. A bound as small as 2 makes the sure surer than they
            should be: the rare label that was thought unlikely no longer outweighs the many that were expected.
        most: T stays in 1/most … most, > 1.

    Raises:
        ValueError: where an argument is out of its range.

    Source:
        Guo et al., arXiv 1706.04599, section 4.2, fitted there on a held-out set; Zinkevich, 2003, for the slope.

    Example:
        >>> temperature = Temperature(rate=0.02)
        >>> state = temperature.start()
        >>> for n in range(1000):  # says .95, is right four times out of five
        ...     state = temperature.learn(state, np.array([0.95, 0.05]), 1 if n % 5 == 0 else 0)
        >>> temperature.applied(state, np.array([0.95, 0.05])).round(1).tolist()
        [0.8, 0.2]
    """

    rate: float = 0.003
    bound: float = 5.0
    most: float = 8.0

    def __post_init__(self) -> None:
        for name in ("rate", "bound"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not self.most > 1.0:
            raise ValueError(f"most must be > 1, got {self.most}")

    def start(self) -> TemperatureState:
        """Return the state before any label: T = 1 changes nothing."""
        return TemperatureState(0.0, 0)

    def applied(self, state: TemperatureState, probabilities: ArrayLike) -> Reals:
        """Return the tempered probabilities, shaped like `probabilities` [..., C]; to the bit the same where T is 1."""
        p = np.asarray(probabilities, np.float64)
        if state.log_temperature == 0.0:
            return p.copy()
        return _softmax(_logs(p) / math.exp(state.log_temperature))

    def learn(self, state: TemperatureState, probabilities: ArrayLike, index: int) -> TemperatureState:
        """Return the state after one label of class `index`, of which `probabilities` [C] had been said, untempered."""
        logs = _logs(np.asarray(probabilities, np.float64))
        inverse = math.exp(-state.log_temperature)
        slope = inverse * float(logs[index] - _softmax(inverse * logs) @ logs)
        moved = state.log_temperature - self.rate * min(max(slope, -self.bound), self.bound)
        edge = math.log(self.most)
        return TemperatureState(min(max(moved, -edge), edge), state.seen + 1)


def _logs(p: Reals) -> Reals:
    logs: Reals = np.log(np.maximum(p, _LEAST))
    return logs


def _softmax(logits: Reals) -> Reals:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    soft: Reals = raised / raised.sum(axis=-1, keepdims=True)
    return soft
