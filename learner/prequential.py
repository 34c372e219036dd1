"""Many labels by one call: each input is predicted, then learned, as `predict` and `learn` would, to the bit."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from learner import prequential_kernels as kernels
from learner.encoders import Encoder, Inputs
from learner.encoders.protocol import Decoding
from learner.memory.fusion import FusionState
from learner.memory.mixture import GenerativeMemory
from learner.memory.recollection import SILENT, Recollection, RecollectionState
from learner.noise import Purpose
from learner.prequential_kernels import Said
from learner.state import LearnerState
from learner.synapses.classifier import BiMU
from learner.synapses.moment_kernels import Array


class Parts(NamedTuple):
    """A learner that the kernels serve."""

    encoder: Encoder
    network: BiMU
    recollection: Recollection


def served(encoder: Encoder, network: BiMU, recollection: Recollection | None) -> Parts | None:
    """Return the parts of a learner, or None where the kernels do not serve it."""
    if (
        recollection is None
        or not all(isinstance(memory, GenerativeMemory) for memory in recollection.memories)
        or encoder.decoding is None
        or not network.compiled
        or (network.gate, network.passes, network.fixed_point) != ("none", 1, False)
    ):
        return None
    return Parts(encoder, network, recollection)


def passed(
    parts: Parts, state: LearnerState, xs: Inputs, labels: NDArray[np.int64], seq: int
) -> tuple[LearnerState, Said]:
    """Return the state after R labels in turn, and what was said of each input before.

    Args:
        parts: of the learner, as `served` gives them.
        state: left as it is; with two classes or more.
        xs: R inputs, at least one.
        labels: their class indices [R], all known.
        seq: the first one's number in the log.
    """
    encoder, network, recollection = parts
    memory, decoding = state.memory, encoder.decoding
    assert memory is not None and decoding is not None  # noqa: PT018, S101 - for the type checker
    learned, before, after = encoder.encode_each(state.encoder, xs)
    codes, layers = encoder.code_many(after), tuple(lam.numpy().copy() for lam in network.real(state.layers))
    rows = kernels.Rows(
        network.augment_array(before.numpy()),
        network.augment_array(after.numpy()),
        codes if before is after else encoder.code_many(before),
        codes,
        labels,
        np.uint64(seq),
    )
    memories = tuple(of.copied() for of in memory.memories)
    known = kernels.Known(layers, tuple(map(np.empty_like, layers)), memories, *memory.fusion, memory.familiar)
    settings = _network(network, layers), _ladder(recollection), _trust(recollection), _dreams(recollection, decoding)
    said = _unsaid(len(labels), len(state.classes))
    layers, evidence, weights, familiar = kernels.each_in_turn(rows, known, *settings, said)
    after_all = LearnerState(
        seq + len(labels) - 1,
        state.classes,
        tuple((np.array(state.counts) + np.bincount(labels, minlength=len(state.counts))).tolist()),
        learned,
        tuple(map(torch.from_numpy, layers)),
        RecollectionState(memories, FusionState(evidence, weights), familiar),
    )
    return after_all, said


def _network(network: BiMU, layers: tuple[Array, ...]) -> kernels.Network:
    seed, purpose = np.uint64(network.seed), np.uint64(Purpose.LEARN)
    return kernels.Network(seed, purpose, network.rule.constants(), network.scale, network.bank(layers))


def _ladder(recollection: Recollection) -> kernels.Ladder:
    memories = [memory for memory in recollection.memories if isinstance(memory, GenerativeMemory)]
    return kernels.Ladder(
        np.array([memory.rate_floor for memory in memories]),
        np.array([memory.surprise or 0.0 for memory in memories]),
        np.array([[memory.seed, Purpose.REMEMBER, memory.lane] for memory in memories], np.uint64),
        memories[0].unknown,
        recollection.warmth,
    )


def _trust(recollection: Recollection) -> kernels.Trust:
    fusion = recollection.fusion
    return kernels.Trust(fusion.steps, fusion.lead, fusion.floor, fusion.recall, math.exp(-fusion.freshness), SILENT)


def _dreams(recollection: Recollection, decoding: Decoding) -> kernels.Dreams:
    replay = recollection.replay
    return kernels.Dreams(replay.draws, replay.patience, np.uint64(replay.seed), np.uint64(Purpose.REPLAY), *decoding)


def _unsaid(rows: int, classes: int) -> Said:
    numbers, means, each = np.empty((rows, 4)), np.empty((rows, classes)), np.empty(rows)
    return Said(numbers, means, each, each.copy(), each.copy(), np.empty(rows, np.int64))
