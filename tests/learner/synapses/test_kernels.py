from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learner.noise import Purpose, normal
from learner.noise_kernels import normals, words
from learner.synapses import moment_kernels
from learner.synapses.bimu import BiMURule
from learner.synapses.classifier import BiMU
from learner.synapses.network import Layers
from learner.synapses.relaxed_kernels import relaxed_update

NETWORKS = {
    "linear": BiMU(features=20, hidden=(), seed=1),
    "default": BiMU(features=30, hidden=(40,), seed=2),
    "deep": BiMU(features=12, hidden=(33, 17), seed=3, passes=3),
    "normed": BiMU(features=12, hidden=(33,), seed=4, normed_logits=True, constant_input=False),
    "no_floor": BiMU(features=30, hidden=(40,), seed=5, rule=BiMURule(memory_window=50.0, pull_floor=0.0)),
    "low_floor": BiMU(features=30, hidden=(40,), seed=5, rule=BiMURule(memory_window=50.0, pull_floor=0.3)),
    "seldom": BiMU(features=30, hidden=(40,), seed=5, rule=BiMURule(memory_window=50.0, pull_every=4)),
    "sparse_code": BiMU(features=12, hidden=(9,), seed=6, gate="sparse_code"),
}


def settled(network: BiMU, classes: int = 5) -> Layers:
    """Return layers as after some learning: a mix of unsure and certain synapses."""
    generator = torch.Generator().manual_seed(network.seed)
    started = network.grow(network.start(0), classes)
    return tuple(lam + torch.randn(lam.shape, generator=generator) for lam in started)


def batch(network: BiMU, size: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(99)
    x = torch.randn(size, network.features, generator=generator)
    x[torch.rand(x.shape, generator=generator) < 0.4] = 0.0
    return x, torch.arange(size) % 5, torch.tensor([1.0, 0.3, 2.0, 1.0])[:size]


@pytest.mark.parametrize("counter", [7, 8])
@pytest.mark.parametrize("name", NETWORKS)
def test_an_update_equals_the_reference(name: str, counter: int):
    network = NETWORKS[name]
    layers, (x, y, each) = settled(network), batch(network)
    learned, info = network.learn(layers, x, y, counter=counter, weights=each)
    reference = replace(network, dtype=torch.float64)
    wide = tuple(lam.double() for lam in layers)
    expected, said = reference.learn(wide, x.double(), y, counter=counter, weights=each.double())
    for lam, right in zip(learned, expected, strict=True):
        assert float((lam.double() - right).abs().max()) <= 1e-5 * float(right.abs().max())
    assert info.loss_bits == pytest.approx(said.loss_bits, rel=1e-4)
    assert info.mean_step == pytest.approx(said.mean_step, rel=1e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_scoring_equals_the_reference(name: str):
    network = NETWORKS[name]
    layers, (x, _, _) = settled(network), batch(network)
    fast = network.committee(layers).logits(x)
    slow = replace(network, dtype=torch.float64).committee(tuple(lam.double() for lam in layers)).logits(x.double())
    torch.testing.assert_close(fast.double(), slow, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_update_repeats_to_the_bit(name: str):
    network = NETWORKS[name]
    layers, (x, y, _) = settled(network), batch(network)
    runs = [network.learn(layers, x, y, counter=3)[0] for _ in range(2)]
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(layers, settled(network), strict=True))


@pytest.mark.parametrize("name", [*NETWORKS, "sampled"])
@pytest.mark.parametrize("size", [1, 4, 5])
def test_updates_made_in_one_call_are_those_of_one_call_each(name: str, size: int):
    network = BiMU.published(6, (5,)) if name == "sampled" else NETWORKS[name]
    first = settled(network)
    x, y = torch.randn(size, network.features, generator=torch.Generator().manual_seed(size)), torch.arange(size) % 5
    x[:, 1::3] = 0.0
    layers, losses, steps = first, [], []
    for b in range(size):
        layers, info = network.learn(layers, x[b : b + 1], y[b : b + 1], counter=11 + b)
        losses.append(info.loss_bits)
        steps.append(info.mean_step)
    together, said = network.learn_each(first, x, y, counter=11)
    assert all(torch.equal(one, other) for one, other in zip(together, layers, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(first, settled(network), strict=True))
    assert (said.loss_bits, said.mean_step) == pytest.approx((np.mean(losses), np.mean(steps)))


def test_an_update_in_place_is_the_update():
    for name in ("default", "deep", "seldom"):
        network = NETWORKS[name]
        for counter in (7, 8):
            x, y, each = (part.numpy() for part in batch(network))
            key, rule = tuple(map(np.uint64, (network.seed, counter, Purpose.LEARN))), network.rule.constants()
            layers, inputs = tuple(lam.numpy() for lam in settled(network)), network.augment_array(x)
            learned = tuple(map(np.empty_like, layers))
            said = relaxed_update(layers, inputs, y, each, key, rule, network.scale, learned)
            assert relaxed_update(layers, inputs, y, each, key, rule, network.scale, layers) == said
            assert all(np.array_equal(*pair) for pair in zip(layers, learned, strict=True))


def test_no_input_is_no_update():
    network = NETWORKS["default"]
    layers, info = network.learn_each(
        settled(network), torch.zeros(0, 30), torch.zeros(0, dtype=torch.int64), counter=1
    )
    assert info == (None, 0.0)
    assert all(torch.equal(one, other) for one, other in zip(layers, settled(network), strict=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_score_does_not_depend_on_the_rest_of_the_batch(name: str):
    network = NETWORKS[name]
    committee = network.committee(settled(network))
    x = np.tile(batch(network)[0].numpy(), (7, 1))
    together = committee.votes(x)
    alone = np.concatenate([committee.votes(row[None]) for row in x])
    first = np.concatenate([network.committee(settled(network)).votes(row[None]) for row in x])
    assert np.array_equal(together, alone)
    assert np.array_equal(together, first)


def test_an_input_of_zeros_without_gradient_changes_nothing():
    network = replace(NETWORKS["linear"], constant_input=False)
    layers = settled(network)
    learned, info = network.learn(layers, torch.zeros(1, 20), torch.tensor([0]), counter=1)
    assert torch.equal(learned[0], layers[0])
    assert info.mean_step == 0.0


def test_tanh_is_right_to_four_in_ten_million():
    x = np.linspace(-20.0, 20.0, 200_001, dtype=np.float32)[None]
    t = moment_kernels.means(x)
    assert np.abs(t - np.tanh(x.astype(np.float64))).max() < 4e-7
    assert np.abs(t).max() <= 1.0


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 9), st.integers(0, 2**64 - 1))
def test_the_compiled_generator_gives_philox(seed: int, counter: int, purpose: int, lane: int):
    key, block = np.array([seed, counter], np.uint64), np.array([0, 0, lane, purpose], np.uint64)
    expected = np.random.Philox(key=key, counter=block).random_raw(9)
    found = words(np.uint64(seed), np.uint64(counter), np.uint64(purpose), np.uint64(lane), 9)
    assert np.array_equal(found, expected)


def test_normals_are_those_of_the_noise_rounded_also_where_a_series_cannot_tell_to_which_side():
    doubtful = 0
    for counter in range(20):
        expected = normal(7, counter, Purpose.LEARN, 100_000, lane=counter % 3)
        key = (np.uint64(7), np.uint64(counter), np.uint64(Purpose.LEARN), np.uint64(counter % 3))
        found = normals(*key, len(expected))
        assert found.dtype == np.float32
        assert np.array_equal(found, expected.astype(np.float32))
        doubtful += int(((expected - 1e-13).astype(np.float32) != (expected + 1e-13).astype(np.float32)).sum())
    assert doubtful > 0


@given(st.sampled_from([1, 2, 3, 5, 17]), st.integers(0, 2**64 - 1))
def test_any_number_of_normals_is_that_of_the_noise(count: int, counter: int):
    key = (np.uint64(1), np.uint64(counter), np.uint64(Purpose.LEARN), np.uint64(0))
    found = normals(*key, count)
    assert np.array_equal(found, normal(1, counter, Purpose.LEARN, count).astype(np.float32))
