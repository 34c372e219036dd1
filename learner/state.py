"""What the learner knows, what it says, and what a label did to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from learner.encoders import EncoderState
from learner.memory.recollection import RecollectionState
from learner.synapses.network import Layers


@dataclass(frozen=True, slots=True)
class LearnerState:
    """All that the learner knows.

    Attributes:
        seq: number of the last log entry applied; 0 before the first.
        classes: names, in the order in which they became known.
        counts: labels learned of each class, same order.
        encoder: the encoder's running numbers.
        layers: lambda of each layer, [fan_in, fan_out]; in steps of 2^-12, int16, where the network is of fixed point.
        memory: what is remembered of every class; None where the network learns alone.
    """

    seq: int
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    encoder: EncoderState
    layers: Layers
    memory: RecollectionState | None = None


class Prediction(NamedTuple):
    """What the learner says of one input.

    Attributes:
        label, confidence: the most probable class and its probability.
        probabilities: mean probability by class.
        predictive_entropy, aleatoric, epistemic: in bits.
        variation_ratio: 1 - share of the modal class among the votes, in [0, 1).
        novelty: how many standard deviations less familiar than usual; about 0 for the familiar, above 3 unlike
            anything learned. 0 while nothing is usual yet, and where the network learns alone.
        rarity: how rare the class probably is, in (0, 1]: sum_c p_c r_c with r `asking.rarity.rarities`.
    """

    label: str
    confidence: float
    probabilities: Mapping[str, float]
    predictive_entropy: float
    aleatoric: float
    epistemic: float
    variation_ratio: float
    novelty: float = 0.0
    rarity: float = 1.0


class LearnInfo(NamedTuple):
    """What one label did, for a dashboard.

    Attributes:
        loss_bits: surprise of the update's own noisy pass; None with fewer than two classes.
        mean_step: mean |step| of lambda over all synapses.
        new_class: the label was not known before.
        replayed: pseudo-exemplars learned beside it.
    """

    loss_bits: float | None
    mean_step: float
    new_class: bool
    replayed: int = 0
