from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from learner.synapses.engram_bnn import EngramBNN, EngramBNNState
from learner.synapses.gating import GATES


def batch(number: int, classes: tuple[int, ...] = (0, 1, 2)) -> tuple[torch.Tensor, torch.Tensor]:
    """Return 30 noisy copies of the classes' own points in 30 dimensions."""
    points = torch.randn(4, 30, generator=torch.Generator().manual_seed(7))
    generator = torch.Generator().manual_seed(1000 + number)
    y = torch.tensor([classes[index % len(classes)] for index in range(30)])
    return points[y] + 0.3 * torch.randn(30, 30, generator=generator), y


def trained(network: EngramBNN, batches: int = 120, classes: tuple[int, ...] = (0, 1, 2)) -> EngramBNNState:
    state = network.start()
    for number in range(batches):
        state, _ = network.learn(state, *batch(number, classes))
    return state


@pytest.mark.parametrize("gate", GATES)
def test_it_learns_and_equal_seeds_give_equal_bits(gate: str):
    network = EngramBNN(features=30, classes=3, hidden=(64,), gate=gate, lr=0.01, seed=4)
    if gate == "sparse_code":
        network = replace(network, hidden=(), real_readout=True)
    state, again = trained(network), trained(network)
    assert all(torch.equal(state.weights[name], again.weights[name]) for name in state.weights)
    x, y = batch(999)
    assert float((network.logits(state, x).argmax(-1) == y).float().mean()) > 0.9


def test_learning_leaves_the_state_it_was_given_as_it_is():
    network = EngramBNN(features=30, classes=3, hidden=(8, 8), seed=4)
    state = network.start()
    before = {name: weight.clone() for name, weight in state.weights.items()}
    after, _ = network.learn(state, *batch(1))
    assert all(torch.equal(state.weights[name], weight) for name, weight in before.items())
    assert state.steps == 0
    assert after.steps == 1
    assert all(not torch.equal(after.weights[name], before[name]) for name in ("binary 0", "encoder 0", "gate 1"))


def test_a_loss_over_the_classes_present_moves_no_output_of_an_absent_one():
    network = EngramBNN(features=30, classes=4, hidden=(32,), present_only=True, seed=4)
    start, state = network.start(), trained(network, batches=5, classes=(0, 1))
    moved = (state.weights["binary 1"] != start.weights["binary 1"]).any(dim=0)
    assert moved.tolist() == [True, True, False, False]


def test_a_strongly_metaplastic_network_flips_fewer_weights():
    def flipped(metaplasticity: float) -> float:
        network = EngramBNN(features=30, classes=3, hidden=(64,), metaplasticity=metaplasticity, lr=0.01, seed=4)
        first, then = trained(network), None
        then = first
        for number in range(60):
            then, _ = network.learn(then, *batch(number, (2, 1, 0)[number % 3 :]))
        return float((first.weights["binary 0"].sign() != then.weights["binary 0"].sign()).float().mean())

    assert flipped(100.0) < 0.5 * flipped(0.0)


def test_a_batch_of_one_is_refused():
    network = EngramBNN(features=30, classes=3)
    with pytest.raises(ValueError, match="at least 2 inputs"):
        network.learn(network.start(), torch.zeros(1, 30), torch.tensor([0]))


@pytest.mark.parametrize(
    "wrong", [{"features": 0}, {"classes": 1}, {"hidden": (0,)}, {"metaplasticity": -1.0}, {"lr": 0.0}, {"gate": "?"}]
)
def test_an_argument_out_of_range_is_named(wrong: dict[str, object]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EngramBNN(**{"features": 3, "classes": 2} | wrong)
