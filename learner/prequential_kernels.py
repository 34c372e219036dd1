"""Predicting and learning one label after the other without the interpreter: what `OnlineLearner` does, compiled.

The same kernels in the same order as `Scorer.predict` and `OnlineLearner.learn`, so the same bits. Only networks by
relaxed moments with one pass beside a ladder of dense memories go this way, of two classes or more, all known.

Shapes: R labels, D features, Z bits of a code, S votes, C classes, M memories, E = M + 1 experts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.asking.uncertainty_kernels import softmax, summaries
from learner.compiling import Number, compiled
from learner.encoding_kernels import decoded
from learner.memory import fusion_kernels, mixture_kernels
from learner.memory.likelihood_kernels import Bytes, Reals, recalled
from learner.noise_kernels import uniforms
from learner.synapses.moment_kernels import Array
from learner.synapses.relaxed_kernels import pulls, relaxed_update
from learner.synapses.scoring_kernels import logits_of_one

_class_shares, _novelties, _voice_weights = (
    fusion_kernels.class_shares,
    fusion_kernels.novelties,
    fusion_kernels.voice_weights,
)
_heard, _experts, _witnessed = fusion_kernels.heard, fusion_kernels.experts, fusion_kernels.witnessed
_accustomed = fusion_kernels.accustomed
_overdue, _drawn, _chances = mixture_kernels.overdue, mixture_kernels.drawn, mixture_kernels.chances
_lit, _take_in = mixture_kernels.lit, mixture_kernels.take_in

Words = NDArray[np.uint64]


class Rows(NamedTuple):
    """Labelled inputs.

    Attributes:
        before, after: features by the encoder as it was and with the input learned, as the network sees them [R, D].
        before_codes, codes: the codes of these [R, Z].
        labels: class indices [R].
        first: number of the first in the log, uint64.
    """

    before: Array
    after: Array
    before_codes: Bytes
    codes: Bytes
    labels: NDArray[np.int64]
    first: Number


class Network(NamedTuple):
    """A network's settings: seed and purpose of its noise, uint64, and what `relaxed_update` and a committee take."""

    seed: Number
    purpose: Number
    rule: Array
    scale: Number
    bank: tuple[Array, ...]


class Ladder(NamedTuple):
    """The memories' settings.

    Attributes:
        rates, surprises: of each memory [M]; surprise 0 where it has none.
        keys: seed, purpose and lane of each memory's noise [M, 3].
        unknown: log p of a code by a class without any component.
        temperature: T.
    """

    rates: Reals
    surprises: Reals
    keys: Words
    unknown: Number
    temperature: Number


class Trust(NamedTuple):
    """The fusion's settings.

    Attributes:
        steps: fade, rate and bound [3].
        lead: how far ahead the pool starts.
        floor: the least weight of a voice.
        recall: exponent of the slowest memory in the plain product.
        freshness: what the network's word for a fresh class counts in that product.
        silent: intervals that a class may be missing before the record no longer speaks for it.
    """

    steps: Reals
    lead: Number
    floor: Number
    recall: Number
    freshness: Number
    silent: Number


class Dreams(NamedTuple):
    """Replay's settings: draws, patience, seed and purpose of its noise, uint64, and the encoder's `Decoding`."""

    draws: int
    patience: Number
    seed: Number
    purpose: Number
    fields: int
    steps: Reals


class Known(NamedTuple):
    """What was learned, written: two sets of layers by turns, the memories' states, evidence, weights, familiarity."""

    layers: tuple[Array, ...]
    spare: tuple[Array, ...]
    memories: tuple[Any, ...]
    evidence: Reals
    weights: Reals
    familiar: Reals


class Said(NamedTuple):
    """What was said of each input before it was learned, and what learning it did, all written.

    Attributes:
        numbers: predictive entropy, aleatoric, epistemic, variation ratio [R, 4].
        means: mean probabilities [R, C].
        novelty: [R].
        losses, moved: loss in bits and the sum of |step| of each update [R].
        replayed: pseudo-exemplars beside each [R].
    """

    numbers: Reals
    means: Reals
    novelty: Reals
    losses: Reals
    moved: Reals
    replayed: NDArray[np.int64]


@compiled
def each_in_turn(
    rows: Rows, known: Known, network: Network, ladder: Ladder, trust: Trust, dreams: Dreams, said: Said
) -> tuple[tuple[Array, ...], Reals, Reals, Reals]:
    """Predict and then learn each row in turn; return the layers, evidence, weights and familiarity after the last.

    `known.memories` are after the last row, too; both sets of layers are written.
    """
    layers, spare, memories, evidence, weights, familiar = known
    one = np.ones(1, np.float32)
    for r in range(rows.labels.size):
        label, counter = rows.labels[r], rows.first + np.uint64(r)
        logs, by_class = _recalled(memories, rows.before_codes[r : r + 1], ladder.unknown)
        log_p, best = _class_shares(by_class, ladder.temperature)
        said.novelty[r] = _novelties(familiar, best)[0]
        votes = softmax(logits_of_one(layers, network.bank, rows.before[r : r + 1], network.scale))
        voices = evidence.copy()
        voices[voices.size - 1] += trust.lead
        silence = _silence(memories[0], trust, dreams.patience)
        fused = _heard(votes, log_p, _voice_weights(voices, trust.floor), weights, silence)
        numbers, means = summaries(fused)
        said.numbers[r], said.means[r] = numbers[0], means[0]

        evidence, weights, _ = _witnessed(
            _experts(summaries(votes)[1][0], log_p[0]), label, weights, evidence, trust.steps
        )
        familiar = _accustomed(familiar, best[0])
        if np.any(rows.before_codes[r] != rows.codes[r]):
            logs, _ = _recalled(memories, rows.codes[r : r + 1], ladder.unknown)

        x, labels, each = rows.after[r : r + 1], rows.labels[r : r + 1], one
        stale, live, _ = _overdue(memories[0][1], memories[0][2], dreams.patience)
        if stale.size:
            x, labels, each = _with_dreams(x, label, memories[0], stale, live, dreams, counter)
        said.replayed[r] = labels.size - 1
        key = (network.seed, counter, network.purpose)
        if pulls(counter, network.rule):
            # Every synapse is written, quickest into other layers; else few are, in place.
            loss, moved = relaxed_update(layers, x, labels, each, key, network.rule, network.scale, spare)
            layers, spare = spare, layers
        else:
            loss, moved = relaxed_update(layers, x, labels, each, key, network.rule, network.scale, layers)
        said.losses[r], said.moved[r] = loss, moved
        for m in range(len(memories)):
            noise = (ladder.keys[m, 0], counter, ladder.keys[m, 1], ladder.keys[m, 2])
            _take_in(memories[m], logs[m][0], rows.codes[r], label, ladder.rates[m], ladder.surprises[m], noise)
    return layers, evidence, weights, familiar


@compiled
def _recalled(memories: Any, code: Bytes, unknown: Number) -> tuple[Any, Any]:
    """Return log p of one code [1, Z] by the components and by the classes of each memory."""
    logs, by_class = [], []
    for m in range(len(memories)):
        prototypes, counts, _, off, _ = memories[m]
        by_component, of_classes = recalled(prototypes, off, counts, code, unknown)
        logs.append(by_component)
        by_class.append(of_classes)
    return logs, by_class


@compiled
def _silence(slowest: Any, trust: Trust, patience: Number) -> tuple[Number, Number, Reals]:
    """Return what `fusion_kernels.heard` takes of the classes of which the record knows nothing."""
    counts, last = slowest[1], slowest[2]
    silent, counting = _overdue(counts, last, trust.silent)[2], np.ones(counts.shape[0], np.float64)
    if silent > 0.0 and trust.freshness < 1.0:
        counting[:] = trust.freshness
        stale = _overdue(counts, last, patience)[0]
        for at in range(stale.size):
            counting[stale[at]] = 1.0
    return min(silent, 1.0 - trust.floor), trust.recall, counting


@compiled
def _with_dreams(
    x: Array, label: int, slowest: Any, stale: NDArray[np.int64], live: int, dreams: Dreams, counter: Number
) -> tuple[Array, NDArray[np.int64], Array]:
    """Return the input [1, D] and after it dreams of stale classes, their classes, and what each weighs."""
    prototypes, counts = slowest[0], slowest[1]
    bits, draws = prototypes.shape[0], dreams.draws
    u = uniforms(dreams.seed, counter, dreams.purpose, np.uint64(0), 2 * draws)
    dreamt, units = _drawn(counts, stale, u)
    noise = uniforms(dreams.seed, counter, dreams.purpose, np.uint64(1), draws * bits)
    codes = _lit(_chances(prototypes.reshape(bits, counts.size), units), noise)
    inputs = np.empty((1 + draws, x.shape[1]), np.float32)
    # What comes after the features, a constant, is the same for all.
    inputs[:] = x[0]
    decoded(codes, dreams.fields, dreams.steps, inputs[1:])
    labels = np.empty(1 + draws, np.int64)
    labels[0], labels[1:] = label, dreamt
    each = np.full(1 + draws, np.float32(stale.size / max(1, live - stale.size) / draws), np.float32)
    each[0] = np.float32(1.0)
    return inputs, labels, each
