"""The online learner: predict, decide, learn, add a class; pure functions of an immutable state.

`state(n) = learn(state(n-1), sample n, label n)` with noise keyed by (seed, seq): the same log always gives the same
state, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
import torch
from torch import Tensor

from learner import prequential
from learner.asking.duplicates import packed
from learner.asking.policy import Demand, Policy, Standing, consider, never
from learner.asking.rarity import rarities, rarities_of_each
from learner.asking.selection import Decision
from learner.asking.uncertainty_kernels import Votes, softmax, summaries
from learner.encoders import AnyInput, Encoder, Inputs
from learner.memory.likelihood_kernels import FEW, Odds
from learner.memory.recollection import Recollection, RecollectionState
from learner.state import LearnerState, LearnInfo, Prediction
from learner.synapses.classifier import BiMU, BiMUInfo
from learner.synapses.network import Layers

TOGETHER = 1_000
"""Labels that are learned by one call of the kernels; nothing depends on it."""

__all__ = ["LearnInfo", "LearnerState", "OnlineLearner", "Prediction", "Scorer"]


@dataclass(frozen=True, slots=True)
class OnlineLearner:
    """Composes an encoder, a network and what remembers; holds settings only, never what was learned.

    Args:
        encoder: turns inputs into features and codes.
        network: a `BiMU` with as many features as the encoder gives.
        recollection: the memories beside it; None: the network learns alone.

    Raises:
        ValueError: where the parts do not fit.

    Example:
        >>> import numpy as np
        >>> from learner.encoders import VectorEncoder
        >>> encoder = VectorEncoder(2)
        >>> network = BiMU(features=encoder.features, hidden=(32,), seed=7)
        >>> learner = OnlineLearner(encoder, network, Recollection.ladder(encoder.bits, seed=7))
        >>> state = learner.start(("left", "right"))
        >>> for seq in range(1, 21):
        ...     side = seq % 2
        ...     x = np.array([2.0 * side - 1.0, seq % 3], dtype=np.float32)
        ...     state, info = learner.learn(state, x, ("left", "right")[side], seq=seq)
        >>> learner.scorer(state).predict(np.array([1.0, 0.0], dtype=np.float32)).label
        'right'
    """

    encoder: Encoder
    network: BiMU
    recollection: Recollection | None = None

    def __post_init__(self) -> None:
        if self.encoder.features != self.network.features:
            raise ValueError(
                f"network.features must be {self.encoder.features}, as the encoder gives, got {self.network.features}"
            )
        if self.recollection is not None and self.recollection.bits != self.encoder.bits:
            raise ValueError(
                f"recollection.bits must be {self.encoder.bits}, as the encoder gives, got {self.recollection.bits}"
            )

    def start(self, classes: tuple[str, ...] = ()) -> LearnerState:
        """Return the state before any label, with the classes known from the beginning.

        Raises:
            ValueError: where a class is named twice.
        """
        if len(set(classes)) < len(classes):
            raise ValueError(f"classes must be named once each, got {classes}")
        layers = self.network.start(len(classes))
        memory = self.recollection.start(len(classes)) if self.recollection else None
        return LearnerState(0, classes, (0,) * len(classes), self.encoder.start(), layers, memory)

    def add_class(self, state: LearnerState, label: str, *, seq: int) -> LearnerState:
        """Return the state with one more class; a known one changes nothing but `seq`.

        Raises:
            ValueError: where `seq` is below `state.seq`.
        """
        if seq < state.seq:
            raise ValueError(f"seq must be at least {state.seq}, the last applied, got {seq}")
        if label in state.classes:
            return replace(state, seq=seq)
        classes = (*state.classes, label)
        layers = self.network.grow(state.layers, len(classes))
        memory = state.memory
        if self.recollection is not None and memory is not None:
            memory = self.recollection.grow(memory, len(classes))
        return replace(state, seq=seq, classes=classes, counts=(*state.counts, 0), layers=layers, memory=memory)

    def learn(self, state: LearnerState, x: AnyInput, label: str, *, seq: int) -> tuple[LearnerState, LearnInfo]:
        """Return the state after one label, adding its class where it is new.

        What was said of the sample before moves the trust in network and memories; then both learn it, the network
        together with dreams of what has grown stale.

        Args:
            state: left as it is.
            x: the input, as the encoder takes it.
            label: the class.
            seq: the label's number in the log, above `state.seq`; keys the noise.

        Raises:
            ValueError: where `seq` is not above `state.seq`.
        """
        self._follows(state, seq)
        grown = self.add_class(state, label, seq=seq)
        new_class = label not in state.classes
        index = grown.classes.index(label)
        encoder = self.encoder.learn(grown.encoder, x)
        features = self.encoder.encode(encoder, x)
        if self.recollection is None or grown.memory is None:
            layers, info = self.network.learn(
                grown.layers, features[None], torch.from_numpy(np.array([index])), counter=seq
            )
            memory, replayed = grown.memory, 0
        else:
            before = features if encoder is grown.encoder else self.encoder.encode(grown.encoder, x)
            layers, memory, info, replayed = self._learn_and_remember(
                self.recollection, grown, before, features, index, trusted=not new_class
            )
        counts = (*grown.counts[:index], grown.counts[index] + 1, *grown.counts[index + 1 :])
        learned = LearnerState(seq, grown.classes, counts, encoder, layers, memory)
        return learned, LearnInfo(info.loss_bits, info.mean_step, new_class, replayed)

    def prequential(
        self, state: LearnerState, xs: Inputs, labels: Sequence[str], *, seq: int
    ) -> tuple[LearnerState, list[Prediction | None]]:
        """Return the state after many labels in turn, and what was said of each input before its label was learned.

        To the bit what `predict` and `learn` say and do one after the other. Vectors and pictures go without the
        interpreter between them, where the network is as `build` makes it and memories are beside it; what is compiled
        for that takes some 20 s at the very first call, once for all processes.

        Args:
            state: left as it is.
            xs: inputs, as the encoder takes them.
            labels: their classes; new ones are added where they come.
            seq: the first label's number in the log, above `state.seq`; the others follow it.

        Raises:
            ValueError: where `seq` is not above `state.seq`, or inputs and labels are not as many.

        Source:
            Dawid, *The prequential approach*, 1984.

        Example:
            >>> from learner import build
            >>> learner = build({"kind": "vector", "dim": 1}, seed=7, hidden=(8,))
            >>> xs, labels = [np.array([n % 2], np.float32) for n in range(60)], ["ab"[n % 2] for n in range(60)]
            >>> state, said = learner.prequential(learner.start(), xs, labels, seq=1)
            >>> said[0], [one.label for one in said[-4:]], state.counts
            (None, ['a', 'b', 'a', 'b'], (30, 30))
        """
        if len(xs) != len(labels):
            raise ValueError(f"labels must be {len(xs)}, one for each input, got {len(labels)}")
        said: list[Prediction | None] = []
        parts = prequential.served(self.encoder, self.network, self.recollection)
        while len(said) < len(labels):
            at, index = len(said), {name: number for number, name in enumerate(state.classes)}
            known = [index[label] for label in takewhile(index.__contains__, labels[at : at + TOGETHER])]
            if parts and known and len(index) > 1:
                self._follows(state, seq + at)
                xs_at, rare = xs[at : at + len(known)], rarities_of_each(state.counts, known)
                state, found = prequential.passed(parts, state, xs_at, np.array(known), seq + at)
                said += _predictions(state.classes, found.numbers, found.means, found.novelty.tolist(), rare)
            else:
                said.append(self.scorer(state).predict(xs[at]))
                state, _ = self.learn(state, xs[at], labels[at], seq=seq + at)
        return state, said

    def decide(
        self,
        policy: Policy,
        standing: Standing,
        said: Prediction | None,
        *,
        coin: float,
        now: int,
        demand: Demand,
        near_duplicate: Callable[[], bool] = never,
    ) -> tuple[Decision, Standing]:
        """Return whether to ask for the label of what `said` was said of, as `asking.policy.consider` does."""
        return consider(policy, standing, said, coin=coin, now=now, demand=demand, near_duplicate=near_duplicate)

    def scorer(self, state: LearnerState) -> Scorer:
        """Return the read-only view of `state` that predicts."""
        return Scorer(self, state)

    @staticmethod
    def _follows(state: LearnerState, seq: int) -> None:
        if seq <= state.seq:
            raise ValueError(f"seq must be above {state.seq}, the last applied, got {seq}")

    def _learn_and_remember(
        self,
        recollection: Recollection,
        state: LearnerState,
        before: Tensor,
        features: Tensor,
        index: int,
        *,
        trusted: bool,
    ) -> tuple[Layers, RecollectionState, BiMUInfo, int]:
        memory, seq = state.memory, state.seq
        assert memory is not None  # noqa: S101 - for the type checker
        code = self.encoder.code(features)
        said_of = code if before is features else self.encoder.code(before)
        recalled = recollection.recall(memory, said_of[None])
        if trusted and len(state.classes) > 1:
            _, voted = summaries(softmax(self.network.committee(state.layers).votes(before.numpy()[None])))
            memory = recollection.trust(memory, voted[0], recalled, index)
        if said_of is not code and not np.array_equal(said_of, code):
            recalled = recollection.recall(memory, code[None])
        inputs, labels, weights = features[None], torch.from_numpy(np.array([index])), None
        dream = recollection.dream(memory, counter=seq)
        if dream is not None:
            dreamt = torch.from_numpy(self.encoder.decode(state.encoder, dream.codes))
            inputs, labels = torch.cat([inputs, dreamt]), torch.cat([labels, torch.from_numpy(dream.labels)])
            weights = torch.full((len(inputs),), dream.weight)
            weights[0] = 1.0
        layers, info = self.network.learn(state.layers, inputs, labels, counter=seq, weights=weights)
        memory = recollection.learn(memory, recalled, code, index, counter=seq)
        return layers, memory, info, len(inputs) - 1


class Scorer:
    """Predicts with one version of the learner; never changes it. Equal inputs get equal answers, to the bit."""

    def __init__(self, learner: OnlineLearner, state: LearnerState) -> None:
        self.seq = state.seq
        self.classes = state.classes
        self._encoder = learner.encoder
        self._encoder_state = state.encoder
        self._committee = learner.network.committee(state.layers)
        self._recollection = learner.recollection
        self._memory = state.memory
        self._odds: tuple[Odds | None, ...] = ()
        self._scored = 0
        self._rarities = rarities(state.counts)

    def packed_code(self, x: AnyInput) -> bytes:
        """Return the packed binary code of one input, for `duplicates`; empty where it tells too little."""
        return packed(self._encoder.code(self._encoder.encode(self._encoder_state, x))).tobytes()

    def predict(self, x: AnyInput) -> Prediction | None:
        """Return the prediction for one input, or None while no class is known."""
        return self.predict_many([x])[0]

    def predict_many(self, xs: Inputs) -> list[Prediction | None]:
        """Return the prediction for each input, the same as `predict` gives it alone."""
        if not self.classes or len(xs) == 0:
            return [None] * len(xs)
        features = self._encoder.encode_many(self._encoder_state, xs)
        votes, novelty = softmax(self._committee.votes(features.numpy())), [0.0] * len(xs)
        if self._recollection is not None and self._memory is not None:
            recalled = self._recollection.hear(self._memory, self._encoder.code_many(features), self._odds_for(len(xs)))
            votes, novelty = self._recollection.votes(self._memory, votes, recalled), recalled.novelty.tolist()
        numbers, means = summaries(votes)
        return [*_predictions(self.classes, numbers, means, novelty, self._rarities)]

    def _odds_for(self, count: int) -> tuple[Odds | None, ...]:
        """Return what the memories look up, once so many inputs were scored that it pays to keep it; nothing before."""
        self._scored += count
        if not self._odds and self._scored >= FEW and self._recollection is not None and self._memory is not None:
            self._odds = self._recollection.odds(self._memory)
        return self._odds


def _predictions(
    classes: tuple[str, ...], numbers: Votes, means: Votes, novelty: Sequence[float], rarity: Votes
) -> Iterator[Prediction]:
    """Yield the predictions of R inputs by their `summaries` [R, 4] and [R, C], novelty [R], rarities [C] or [R, C]."""
    best, rare = means.argmax(axis=1).tolist(), (means * rarity).sum(axis=1).tolist()
    for p, (h, noise, doubt, ratio), top, strange, of in zip(
        means.tolist(), numbers.tolist(), best, novelty, rare, strict=True
    ):
        shares = dict(zip(classes, p, strict=True))
        yield Prediction(classes[top], p[top], shares, h, noise, doubt, ratio, strange, of)
