from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.noise import Purpose, uniform
from learner.synapses.engram_gate import SparseCode, StochasticGate
from learner.synapses.gate_kernels import signed_sums, winners

seeds = st.integers(0, 2**64 - 1)


def inputs(rows: int, features: int, seed: int = 5) -> np.ndarray:
    drawn = np.random.Generator(np.random.Philox(seed)).standard_normal((rows, features))
    return np.where(np.abs(drawn) < 0.4, 0.0, drawn).astype(np.float32)


@given(seed=seeds, units=st.integers(1, 300), share=st.floats(0.001, 1.0))
def test_exactly_the_stated_share_of_a_sparse_code_is_one_and_the_rest_zero(seed: int, units: int, share: float):
    code = SparseCode(features=7, units=units, share=share, seed=seed)
    z = code.code(inputs(4, 7))
    assert set(np.unique(z)) <= {0.0, 1.0}
    assert z.sum(axis=1).tolist() == [code.winners] * 4
    assert code.winners == max(1, round(share * units))


def test_the_default_code_has_two_per_cent_of_4096_units():
    z = SparseCode(features=784).code(inputs(2, 784))
    assert z.shape == (2, 4096)
    assert z.sum(axis=1).tolist() == [82.0, 82.0]


def test_the_winners_are_the_units_that_the_input_drives_most():
    signs = np.where(inputs(9, 40, seed=2) < 0, -1, 1).astype(np.int8)
    x = inputs(5, 9)
    z = signed_sums(signs, x)
    np.testing.assert_allclose(z, x @ signs, rtol=1e-5, atol=1e-5)
    code = winners(z, 6)
    for row, won in zip(z, code, strict=True):
        assert row[won > 0].min() >= row[won == 0].max()


def test_of_equals_the_first_win():
    assert winners(np.zeros((1, 5), np.float32), 2).tolist() == [[1.0, 1.0, 0.0, 0.0, 0.0]]


@given(seed=seeds)
def test_a_code_depends_on_seed_and_input_alone(seed: int):
    x = inputs(6, 11)
    whole = SparseCode(features=11, units=200, seed=seed).code(x)
    single = [SparseCode(features=11, units=200, seed=seed).code(row[None])[0] for row in x]
    assert np.array_equal(whole, np.stack(single))
    assert not np.array_equal(whole, SparseCode(features=11, units=200, seed=seed ^ 1).code(x))


def test_like_inputs_share_more_winners_than_unlike_ones():
    x, other, noise = inputs(50, 30, seed=1), inputs(50, 30, seed=2), inputs(50, 30, seed=3)
    code = SparseCode(features=30, units=1000, share=0.05, seed=4)
    near = (code.code(x) * code.code(x + 0.2 * noise)).sum(axis=1)
    far = (code.code(x) * code.code(other)).sum(axis=1)
    assert near.mean() > 3 * far.mean()


@given(seed=seeds, counter=st.integers(0, 2**63), passes=st.integers(1, 3))
def test_a_stochastic_gate_is_open_or_shut_and_keyed_by_seed_and_counter(seed: int, counter: int, passes: int):
    gate, x = StochasticGate(features=5, hidden=(40, 30), seed=seed), inputs(3, 5)
    opened = gate.learning(x, passes=passes, counter=counter)
    assert [layer.shape for layer in opened] == [(passes, 3, 40), (passes, 3, 30)]
    assert set(np.unique(np.concatenate([layer.ravel() for layer in opened]))) == {0.0, 1.0}
    again = gate.learning(x, passes=passes, counter=counter)
    later = gate.learning(x, passes=passes, counter=counter + 1)
    assert all(np.array_equal(a, b) for a, b in zip(opened, again, strict=True))
    assert not np.array_equal(opened[0], later[0])


def test_a_gate_is_open_as_often_as_its_probability_says():
    gate, x = StochasticGate(features=5, hidden=(60,), seed=3), inputs(4, 5)
    (p,) = gate.probabilities(x)
    draws = 4000
    (opened,) = gate.learning(x, passes=draws, counter=1)
    error = np.sqrt(p * (1.0 - p) / draws)
    assert np.abs(opened.mean(axis=0) - p).max() < 5.0 * error.max()
    assert 0.0 < p.min() < 0.3
    assert 0.7 < p.max() < 1.0


def test_the_gates_of_a_prediction_are_one_draw_for_all_inputs_against_their_own_probabilities():
    gate, x = StochasticGate(features=5, hidden=(60,), seed=3), inputs(6, 5)
    (opened,), (p,) = gate.scoring(x, votes=10), gate.probabilities(x)
    u = uniform(3, 0, Purpose.GATE_SCORE, 600, lane=0).reshape(10, 60)
    assert np.array_equal(opened, (u[None] < p[:, None]).astype(np.float32))
    single = np.concatenate([gate.scoring(row[None], votes=10)[0] for row in x])
    assert np.array_equal(opened, single)


def test_a_gate_follows_the_input_and_not_its_size():
    gate, x = StochasticGate(features=5, hidden=(60,), seed=3), inputs(2, 5)
    (p,), (louder,) = gate.probabilities(x), gate.probabilities(4.0 * x)
    np.testing.assert_allclose(p, louder, atol=1e-3)
    assert np.abs(p[0] - p[1]).max() > 0.2


@pytest.mark.parametrize("wrong", [{"features": 0}, {"units": 0}, {"share": 0.0}, {"share": 1.5}])
def test_a_sparse_code_names_the_argument_that_is_out_of_range(wrong: dict[str, float]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SparseCode(**{"features": 3} | wrong)


@pytest.mark.parametrize("wrong", [{"features": 0}, {"hidden": (0,)}, {"slope": 0.0}])
def test_a_stochastic_gate_names_the_argument_that_is_out_of_range(wrong: dict[str, object]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        StochasticGate(**{"features": 3, "hidden": (4,)} | wrong)
