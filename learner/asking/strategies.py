"""Utilities: how much an answer would teach, from what the learner says of an input. Each is pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol


class Unsure(Protocol):
    """What a utility reads of a prediction."""

    @property
    def probabilities(self) -> Mapping[str, float]:
        """Mean probability by class."""

    @property
    def predictive_entropy(self) -> float:
        """In bits."""

    @property
    def epistemic(self) -> float:
        """In bits."""

    @property
    def variation_ratio(self) -> float:
        """1 - share of the modal class among the votes."""


_TIE_BREAK = 0.1
"""How far the entropy may lift a utility: one vote of ten."""

Utility = Callable[[Unsure], float]


def variation_ratio(said: Unsure) -> float:
    """Return the variation ratio, ties broken by the predictive entropy, in [0, 1].

    u = r + (1 - r) H / (10 log2 C), with r = 1 - share of the modal class among the votes. A handful of votes knows
    few values of r, and most inputs have the same one, 0: the entropy ranks these among themselves.

    Source: Freeman, *Elementary applied statistics*, 1965; for queries, arXiv 2605.30198.
    """
    return said.variation_ratio + (1.0 - said.variation_ratio) * _TIE_BREAK * predictive_entropy(said)


def predictive_entropy(said: Unsure) -> float:
    """Return the entropy of the mean probabilities over its maximum log2 C, in [0, 1].

    Source: Shannon, 1948; for queries, Settles, *Active learning literature survey*, 2009, section 3.1.
    """
    return said.predictive_entropy / _most_bits(said)


def mutual_information(said: Unsure) -> float:
    """Return the epistemic uncertainty (predictive - aleatoric) over log2 C, in [0, 1].

    Source: Houlsby et al., arXiv 1112.5745, equation 2.
    """
    return said.epistemic / _most_bits(said)


def _most_bits(said: Unsure) -> float:
    return math.log2(max(2, len(said.probabilities)))


STRATEGIES: Mapping[str, Utility] = MappingProxyType(
    {
        "variation_ratio": variation_ratio,
        "predictive_entropy": predictive_entropy,
        "mutual_information": mutual_information,
    }
)
"""Utility by the name that a stream's query policy gives. All are in [0, 1]."""
