from __future__ import annotations

import numpy as np
import pytest
import torch

from learner.synapses.classifier import BiMU
from learner.synapses.gating import GATES, gating
from learner.synapses.network import Committee, relaxed_gradient


def drawn(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.Generator(np.random.Philox(seed)).standard_normal(shape).astype(np.float32))


LAYERS = (drawn(6, 9), drawn(9, 3, seed=2))
NOISE = (drawn(2, 4, 9, seed=3), drawn(2, 4, 3, seed=4))
X, Y = drawn(4, 6, seed=5), torch.tensor([0, 2, 1, 0])


def test_without_a_gate_inputs_and_units_are_left_as_they_are():
    x, none = drawn(3, 4), gating("none", 4, (8,), 1)
    assert none.seen(x) is x
    assert none.seen_array(array := x.numpy()) is array
    assert none.learning(x, passes=2, counter=1) == none.scoring(x[0], votes=3) == ()
    assert none.signs == 0


def test_gates_that_are_all_open_change_no_bit_of_a_gradient_or_a_score():
    plain = relaxed_gradient(LAYERS, X, Y, NOISE, normed_logits=False)
    opened = relaxed_gradient(LAYERS, X, Y, NOISE, normed_logits=False, engrams=(torch.ones(2, 4, 9),))
    assert all(torch.equal(a, b) for a, b in zip(plain.by_layer, opened.by_layer, strict=True))
    bank = (drawn(5, 9), drawn(5, 3))
    gated = Committee(LAYERS, bank, normed_logits=False, engrams=lambda _: (torch.ones(5, 9),))
    assert torch.equal(Committee(LAYERS, bank, normed_logits=False).logits(X), gated.logits(X))


def test_a_shut_unit_moves_no_synapse_that_leads_from_it_or_to_it():
    engram = torch.ones(2, 4, 9)
    engram[:, :, 4] = 0.0
    first, last = relaxed_gradient(LAYERS, X, Y, NOISE, normed_logits=False, engrams=(engram,)).by_layer
    assert not last[4].any()
    assert last[:4].any()
    # The norm over the layer joins its units, so the way to a shut unit keeps what the norm sends back, not its own.
    unit = relaxed_gradient(LAYERS, X, Y, NOISE, normed_logits=False).by_layer[0]
    assert not torch.equal(first[:, 4], unit[:, 4])


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_learns_to_tell_two_classes_apart(gate: str):
    network = BiMU(features=4, hidden=(32,), gate=gate, seed=2)
    layers = network.start(2)
    x = np.array([[1, 1, -1, -1], [-1, -1, 1, 1]], np.float32)
    for step in range(200):
        at = [step % 2]
        layers, _ = network.learn(layers, torch.from_numpy(x[at]), torch.tensor(at), counter=step)
    votes = network.committee(layers).votes(x).mean(axis=1)
    assert votes.argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("gate", GATES)
def test_a_scored_input_does_not_depend_on_its_neighbours(gate: str):
    network, x = BiMU(features=4, hidden=(16,), gate=gate, seed=2), drawn(20, 4).numpy()
    layers = network.start(3)
    committee = network.committee(layers)
    whole = committee.votes(x)
    assert np.array_equal(whole, np.concatenate([committee.votes(row[None]) for row in x]))
    np.testing.assert_allclose(network.committee(layers).votes(x[:1])[0], whole[0], rtol=1e-5, atol=1e-6)


def test_stochastic_gates_are_drawn_anew_for_every_update_and_alike_for_every_replay():
    network = BiMU(features=4, hidden=(64,), gate="stochastic", seed=2)
    layers, x, y = network.start(2), drawn(1, 4), torch.tensor([1])
    first, again, next_one = (network.gradient(layers, x, y, counter=counter).by_layer[1] for counter in (7, 7, 8))
    assert torch.equal(first, again)
    shut = [(gradient == 0.0).all(dim=1) for gradient in (first, next_one)]
    assert not torch.equal(*shut)


def test_a_linear_network_has_no_unit_to_gate():
    linear = BiMU(features=4, hidden=(), gate="stochastic", seed=2)
    plain = BiMU(features=4, hidden=(), seed=2)
    x, y = drawn(1, 4), torch.tensor([1])
    learned = [network.learn(network.start(2), x, y, counter=3)[0][0] for network in (linear, plain)]
    assert torch.equal(*learned)


def test_an_unknown_gate_is_refused_by_name():
    with pytest.raises(ValueError, match=r"gate must be one of none, stochastic, sparse_code, got 'open'"):
        BiMU(features=3, gate="open")
