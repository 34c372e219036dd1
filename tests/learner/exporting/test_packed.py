from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from learner import BiMU, LearnerState, OnlineLearner, build
from learner.encoders import ImageEncoder
from learner.exporting import PackedCommittee, pack
from learner.exporting.integers import gated_sums, open_gates, quantised, weighted_sums
from learner.synapses.network import gate, layer_norm, logit_scale


def digits(labels: int) -> tuple[OnlineLearner, LearnerState, np.ndarray, np.ndarray]:
    """Return a learner of the first `labels` digits, and the features and classes of the rest."""
    x, y = load_digits(return_X_y=True)
    images = (x.reshape(-1, 8, 8, 1) * 255 / 16).astype(np.uint8)
    learner = build({"kind": "image", "width": 8, "height": 8, "channels": 1}, seed=3)
    state = learner.start()
    for seq in range(labels):
        state, _ = learner.learn(state, images[seq], str(y[seq]), seq=seq + 1)
    rest = torch.stack([learner.encoder.encode(state.encoder, image) for image in images[labels:]]).numpy()
    wanted = np.array([state.classes.index(str(label)) for label in y[labels:]])
    return learner, state, rest, wanted


@pytest.fixture(scope="module")
def learned() -> tuple[OnlineLearner, LearnerState, np.ndarray, np.ndarray]:
    return digits(900)


def signs(rows: np.ndarray, fan_in: int) -> np.ndarray:
    return 2 * np.unpackbits(rows, axis=-1, count=fan_in, bitorder="little").astype(np.int64) - 1


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**32))
def test_sums_of_packed_bits_are_those_of_the_weights(fan_in: int, fan_out: int, seed: int):
    draw = np.random.Generator(np.random.Philox(seed))
    weights = draw.integers(0, 2, (fan_out, fan_in), np.uint8)
    rows = np.packbits(weights, axis=1, bitorder="little")
    inputs, gates = draw.integers(-(2**20), 2**20, (3, fan_in)), draw.integers(0, 2, (3, fan_in), np.uint8)
    assert np.array_equal(weighted_sums(rows, inputs), inputs @ signs(rows, fan_in).T)
    packed = np.packbits(gates, axis=1, bitorder="little")
    assert np.array_equal(gated_sums(rows, packed), gates @ signs(rows, fan_in).T)


@given(st.lists(st.integers(-(2**36), 2**36), min_size=1, max_size=70))
def test_a_gate_in_whole_numbers_is_the_networks_gate(sums: list[int]):
    z = np.array([sums], np.int64)
    gates = np.unpackbits(open_gates(z), axis=1, count=len(sums), bitorder="little")[0]
    normed = layer_norm(torch.tensor(sums, dtype=torch.float64))[0]
    # The norm's epsilon and the bits that are cut away can only matter at the very edge of a gate.
    clear = ((normed.abs() - 1).abs() > 1e-4).numpy()
    assert np.array_equal(gates[clear], gate(normed).numpy()[clear])


@given(st.floats(-1100, 1100, width=32))
def test_an_input_is_within_half_a_step_unless_it_is_cut(value: float):
    found = int(quantised(np.array([value], np.float32))[0])
    assert abs(found / 1024 - np.clip(value, -1024, 1024)) <= 0.5 / 1024


@pytest.mark.parametrize("hidden", [(), (16,), (24, 12)], ids=str)
def test_members_are_the_networks_of_their_weights(hidden: tuple[int, ...]):
    network = BiMU(features=9, hidden=hidden, seed=4)
    layers = network.start(3)
    state = LearnerState(0, ("a", "b", "c"), (0, 0, 0), (), layers)
    committee = pack(network, state, members=4)
    x = np.random.Generator(np.random.Philox(1)).normal(size=(50, 9)).astype(np.float32)
    inputs = torch.tensor(committee.inputs(x), dtype=torch.float64) / 1024
    for member in range(4):
        h = inputs
        for index, packed in enumerate(committee.weights):
            z = h @ torch.tensor(signs(packed[member], committee.sizes[index]), dtype=torch.float64).T
            h = gate(layer_norm(z)[0])
        expected = z * logit_scale(committee.sizes[-2])
        assert np.allclose(committee.votes(x)[:, member], expected.numpy(), atol=1e-4)


def test_weights_are_drawn_as_the_posterior_says():
    network = BiMU(features=5, hidden=(), constant_input=False, seed=2)
    lam = torch.tensor([[-4.0, 0.0], [-1.0, 0.3], [0.0, 1.0], [0.5, 2.0], [4.0, -0.2]])
    committee = pack(network, LearnerState(0, ("a", "b"), (0, 0), (), (lam,)), members=4000)
    share = (signs(committee.weights[0], 5).mean(axis=0).T + 1) / 2
    assert np.allclose(share, torch.sigmoid(2 * lam).numpy(), atol=0.04)


def test_equal_seeds_give_equal_bits_and_more_members_begin_with_the_same():
    network = BiMU(features=7, hidden=(10,), seed=8)
    state = LearnerState(3, ("a", "b"), (0, 0), (), network.start(2))
    few, more, other = (pack(network, state, members=m) for m in (2, 5, 5))
    assert all(np.array_equal(one, two) for one, two in zip(more.weights, other.weights, strict=True))
    assert all(np.array_equal(one, two[:2]) for one, two in zip(few.weights, more.weights, strict=True))
    changed = pack(replace(network, seed=9), state, members=5)
    assert not np.array_equal(changed.weights[0], more.weights[0])


def test_sixteen_members_know_the_digits_as_the_relaxed_committee_does(
    learned: tuple[OnlineLearner, LearnerState, np.ndarray, np.ndarray],
):
    learner, state, x, wanted = learned
    committee = pack(learner.network, state)
    logits = learner.network.committee(state.layers).votes(x).astype(np.float64)
    exact = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    relaxed = (exact.mean(axis=1).argmax(-1) == wanted).mean()
    packed = (committee.probabilities(x).argmax(-1) == wanted).mean()
    assert packed > relaxed - 0.02
    assert committee.nbytes * 7 < sum(4 * lam.numel() for lam in state.layers) * 16 / 4


def test_a_file_holds_all_of_it_and_nothing_is_pickled(
    learned: tuple[OnlineLearner, LearnerState, np.ndarray, np.ndarray],
):
    learner, state, x, _ = learned
    committee, file = pack(learner.network, state, members=3), io.BytesIO()
    np.savez(file, **committee.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        read = PackedCommittee.of_arrays(arrays)
    assert read.classes == state.classes
    assert read.seq == state.seq
    assert np.array_equal(read.votes(x[:40]), committee.votes(x[:40]))


@pytest.mark.parametrize(
    "damage",
    [
        {"format": np.array("something else")},
        {"sizes": np.array([65, 256, 11])},
        {"layer_1": np.zeros((3, 10, 31), np.uint8)},
        {"layer_1": np.zeros((3, 10, 32), np.int8)},
        {"classes": np.array(["only one"])},
        {"scale": np.array(["no number"])},
    ],
    ids=lambda damage: next(iter(damage)),
)
def test_arrays_that_do_not_fit_together_are_refused(
    learned: tuple[OnlineLearner, LearnerState, np.ndarray, np.ndarray], damage: dict[str, np.ndarray]
):
    learner, state, *_ = learned
    arrays = pack(learner.network, state, members=3).arrays()
    with pytest.raises(ValueError, match=r"must|not a packed committee|could not convert"):
        PackedCommittee.of_arrays(arrays | damage)
    missing = next(iter(damage))
    with pytest.raises(ValueError, match="not a packed committee"):
        PackedCommittee.of_arrays({name: array for name, array in arrays.items() if name != missing})


def test_what_cannot_be_exported_is_said():
    learner = build({"kind": "image", "width": 2, "height": 2, "channels": 1}, hidden=(4,))
    assert isinstance(learner.encoder, ImageEncoder)
    with pytest.raises(ValueError, match="classes must name"):
        pack(learner.network, learner.start())
    state = learner.start(("a",))
    with pytest.raises(ValueError, match="members must be >= 1"):
        pack(learner.network, state, members=0)
    with pytest.raises(ValueError, match=r"x must be \[R, 4\]"):
        pack(learner.network, state).votes(np.zeros((1, 5), np.float32))
