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


Utility = Callable[[Unsure], float]


def variation_ratio(said: Unsure) -> float:
    """Return 1 - share of the modal class among the votes, in [0, 1).

    Source: Freeman, *Elementary applied statistics*, 1965; for queries, arXiv 2605.30198.
    """
    return said.variation_ratio


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
