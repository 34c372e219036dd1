"""Engram's learner: metaplastic binary Bayesian networks that learn one label at a time and never freeze.

Pure: no input or output, no clock, no global randomness. Everything is a function of settings, state and noise, and
the noise is keyed by (seed, seq).
"""

from typing import TYPE_CHECKING, Any

from learner.asking.uncertainty import Uncertainty, uncertainty
from learner.building import build, warm_up
from learner.memory.mixture import GenerativeMemory
from learner.memory.recollection import Recollection
from learner.online import OnlineLearner
from learner.state import LearnerState, LearnInfo, Prediction
from learner.synapses.bimu import BiMURule, bimu_delta
from learner.synapses.classifier import BiMU

if TYPE_CHECKING:
    from learner.building.estimators import EngramClassifier

__all__ = [
    "BiMU",
    "BiMURule",
    "EngramClassifier",
    "GenerativeMemory",
    "LearnInfo",
    "LearnerState",
    "OnlineLearner",
    "Prediction",
    "Recollection",
    "Uncertainty",
    "bimu_delta",
    "build",
    "uncertainty",
    "warm_up",
]


def __getattr__(name: str) -> Any:
    """Import scikit-learn's face only where it is asked for: a server needs none of that."""
    if name != "EngramClassifier":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from learner.building.estimators import EngramClassifier  # noqa: PLC0415

    return EngramClassifier
