"""The online learner: predict, learn, add a class; pure functions of an immutable state.

`state(n) = learn(state(n-1), sample n, label n)` with noise keyed by (seed, seq): the same log always gives the same
state, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from learner.asking.uncertainty_kernels import softmax, summary
from learner.encoders import Encoder, EncoderState, Input
from learner.synapses.classifier import BiMU
from learner.synapses.network import Layers


@dataclass(frozen=True, slots=True)
class LearnerState:
    """All that the learner knows.

    Attributes:
        seq: number of the last log entry applied; 0 before the first.
        classes: names, in the order in which they became known.
        counts: labels learned of each class, same order.
        encoder: the encoder's running numbers.
        layers: lambda of each layer, [fan_in, fan_out].
    """

    seq: int
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    encoder: EncoderState
    layers: Layers


class Prediction(NamedTuple):
    """What the learner says of one input: probabilities by class, uncertainties in bits, variation ratio in [0, 1)."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    predictive_entropy: float
    aleatoric: float
    epistemic: float
    variation_ratio: float


class LearnInfo(NamedTuple):
    """What one label did, for a dashboard.

    Attributes:
        loss_bits: surprise of the update's own noisy pass; None with fewer than two classes.
        mean_step: mean |step| of lambda over all synapses.
        new_class: the label was not known before.
    """

    loss_bits: float | None
    mean_step: float
    new_class: bool


@dataclass(frozen=True, slots=True)
class OnlineLearner:
    """Composes an encoder and a network; holds settings only, never what was learned.

    Args:
        encoder: turns inputs into features.
        network: a `BiMU` with as many features as the encoder gives.

    Raises:
        ValueError: where encoder and network do not fit.

    Example:
        >>> import numpy as np
        >>> from learner.encoders import VectorEncoder
        >>> encoder = VectorEncoder(2)
        >>> learner = OnlineLearner(encoder, BiMU(features=encoder.features, hidden=(32,), seed=7))
        >>> state = learner.start(("left", "right"))
        >>> for seq in range(1, 61):
        ...     side = seq % 2
        ...     x = np.array([2.0 * side - 1.0, seq % 3], dtype=np.float32)
        ...     state, info = learner.learn(state, x, ("left", "right")[side], seq=seq)
        >>> learner.scorer(state).predict(np.array([1.0, 0.0], dtype=np.float32)).label
        'right'
    """

    encoder: Encoder
    network: BiMU

    def __post_init__(self) -> None:
        if self.encoder.features != self.network.features:
            raise ValueError(
                f"network.features must be {self.encoder.features}, as the encoder gives, got {self.network.features}"
            )

    def start(self, classes: tuple[str, ...] = ()) -> LearnerState:
        """Return the state before any label, with the classes known from the beginning."""
        layers = self.network.start(len(classes))
        return LearnerState(0, classes, (0,) * len(classes), self.encoder.start(), layers)

    def add_class(self, state: LearnerState, label: str, *, seq: int) -> LearnerState:
        """Return the state with one more class; a known one changes nothing but `seq`."""
        if label in state.classes:
            return replace(state, seq=seq)
        classes = (*state.classes, label)
        layers = self.network.grow(state.layers, len(classes))
        return replace(state, seq=seq, classes=classes, counts=(*state.counts, 0), layers=layers)

    def learn(self, state: LearnerState, x: Input, label: str, *, seq: int) -> tuple[LearnerState, LearnInfo]:
        """Return the state after one label, adding its class where it is new.

        Args:
            state: left as it is.
            x: the input, as the encoder takes it.
            label: the class.
            seq: the label's number in the log, above `state.seq`; keys the noise.

        Raises:
            ValueError: where `seq` is not above `state.seq`.
        """
        if seq <= state.seq:
            raise ValueError(f"seq must be above {state.seq}, the last applied, got {seq}")
        grown = self.add_class(state, label, seq=seq)
        encoder = self.encoder.learn(grown.encoder, x)
        index = grown.classes.index(label)
        features = self.encoder.encode(encoder, x)[None]
        layers, info = self.network.learn(grown.layers, features, torch.tensor([index]), counter=seq)
        counts = tuple(count + (position == index) for position, count in enumerate(grown.counts))
        learned = replace(grown, counts=counts, encoder=encoder, layers=layers)
        return learned, LearnInfo(info.loss_bits, info.mean_step, label not in state.classes)

    def scorer(self, state: LearnerState) -> Scorer:
        """Return the read-only view of `state` that predicts."""
        return Scorer(self, state)


class Scorer:
    """Predicts with one version of the learner; never changes it. Equal inputs get equal answers, to the bit."""

    def __init__(self, learner: OnlineLearner, state: LearnerState) -> None:
        self.seq = state.seq
        self.classes = state.classes
        self._encoder = learner.encoder
        self._encoder_state = state.encoder
        self._committee = learner.network.committee(state.layers)

    def predict(self, x: Input) -> Prediction | None:
        """Return the prediction for one input, or None while no class is known."""
        if not self.classes:
            return None
        features = self._encoder.encode(self._encoder_state, x)[None].numpy()
        numbers, mean = summary(softmax(self._committee.votes(features)[0]))
        probabilities = mean.tolist()
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        named = dict(zip(self.classes, probabilities, strict=True))
        return Prediction(self.classes[best], probabilities[best], named, *numbers.tolist())
