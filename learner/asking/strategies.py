"""Utilities: how much an answer would teach, from what the learner says of an input. Each is pure, and in [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from heapq import nlargest
from types import MappingProxyType
from typing import Protocol


class Unsure(Protocol):
    """What a utility reads of a prediction."""

    @property
    def label(self) -> str:
        """The most probable class."""

    @property
    def probabilities(self) -> Mapping[str, float]:
        """Mean probability by class."""

    @property
    def predictive_entropy(self) -> float:
        """In bits."""

    @property
    def aleatoric(self) -> float:
        """In bits."""

    @property
    def epistemic(self) -> float:
        """In bits."""

    @property
    def variation_ratio(self) -> float:
        """1 - share of the modal class among the votes."""

    @property
    def novelty(self) -> float:
        """How many standard deviations less familiar than usual."""

    @property
    def rarity(self) -> float:
        """How rare the class probably is, in (0, 1]."""


_TIE_BREAK = 0.1
"""How far the entropy may lift a utility: one vote of ten."""

_MANY = 10
"""Classes among which an input that breaks a tie need be spread at most: of a hundred it hardly ever is of all."""

_STRANGE = 3.0
"""The novelty that is half way to the utmost, in standard deviations."""

Utility = Callable[[Unsure], float]


def variation_ratio(said: Unsure) -> float:
    """Return the variation ratio, ties broken by the predictive entropy, in [0, 1].

    u = r + (1 - r) min(1, H/log2 min(C, 10))/10, with r = 1 - share of the modal class among the votes. A handful of
    votes knows few values of r, and most inputs have the same one, 0: the entropy ranks these among themselves.

    Source: Freeman, *Elementary applied statistics*, 1965; for queries, arXiv 2605.30198.
    """
    unsure = _of_most_bits(said.predictive_entropy, min(_MANY, len(said.probabilities)))
    return said.variation_ratio + (1.0 - said.variation_ratio) * _TIE_BREAK * unsure


def predictive_entropy(said: Unsure) -> float:
    """Return the entropy of the mean probabilities over its maximum log2 C, in [0, 1].

    Source: Shannon, 1948; for queries, Settles, *Active learning literature survey*, 2009, section 3.1.
    """
    return _of_most_bits(said.predictive_entropy, len(said.probabilities))


def mutual_information(said: Unsure) -> float:
    """Return the epistemic uncertainty (predictive - aleatoric) over log2 C, in [0, 1].

    Source: Houlsby et al., arXiv 1112.5745, equation 2.
    """
    return _of_most_bits(said.epistemic, len(said.probabilities))


def aleatoric(said: Unsure) -> float:
    """Return the mean entropy of the votes over log2 C, in [0, 1]: what the learner takes for noise of the input.

    An answer teaches little of it, so it is a control for the others rather than a choice.

    Source: Gal, *Uncertainty in deep learning*, 2016, section 3.3.
    """
    return _of_most_bits(said.aleatoric, len(said.probabilities))


def margin(said: Unsure) -> float:
    """Return 1 - (p1 - p2), of the two most probable classes, in [0, 1]; 0 with one class alone.

    Source: Scheffer, Decomain and Wrobel, *Active hidden Markov models for information extraction*, 2001.
    """
    first, second = [*nlargest(2, said.probabilities.values()), 0.0][:2]
    return _bounded(1.0 - (first - second)) if len(said.probabilities) > 1 else 0.0


def least_confidence(said: Unsure) -> float:
    """Return (1 - p1) C / (C - 1), of the most probable class, in [0, 1]; 0 with one class alone.

    Source: Lewis and Gale, *A sequential algorithm for training text classifiers*, 1994.
    """
    count = len(said.probabilities)
    return _bounded((1.0 - max(said.probabilities.values())) * count / (count - 1)) if count > 1 else 0.0


def novelty(said: Unsure) -> float:
    """Return 1 / (1 + exp(3 - z)), in [0, 1], with z the memory's novelty: deviations less familiar than usual.

    0.05 for the usual, 1/2 at three deviations. The memory's likelihood of the input is what z is made of, so where the
    network learns alone every input has the same utility, and is asked for blindly.

    Source: Bishop, *Novelty detection and neural network validation*, 1994.
    """
    return 0.5 + 0.5 * math.tanh((said.novelty - _STRANGE) / 2.0)


def random(said: Unsure) -> float:  # noqa: ARG001 - blind
    """Return 1/2, whatever is said: the budget is then spent blindly."""
    return 0.5


def _of_most_bits(bits: float, classes: int) -> float:
    return _bounded(bits / math.log2(max(2, classes)))


def _bounded(value: float) -> float:
    """Take back what rounding put outside."""
    return min(1.0, max(0.0, value))


STRATEGIES: Mapping[str, Utility] = MappingProxyType(
    {
        "variation_ratio": variation_ratio,
        "predictive_entropy": predictive_entropy,
        "mutual_information": mutual_information,
        "aleatoric": aleatoric,
        "margin": margin,
        "least_confidence": least_confidence,
        "novelty": novelty,
        "random": random,
    }
)
"""Utility by the name that a stream's query policy gives. All are in [0, 1]."""
