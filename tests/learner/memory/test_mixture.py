from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from learner.memory.likelihood_kernels import LEAST, class_logs
from learner.memory.mixture import GenerativeMemory, MemoryState
from learner.memory.sparse import SparseMemory

BITS = 12
streams = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**BITS - 1)), min_size=1, max_size=40)


def code(number: int) -> np.ndarray:
    return np.array([number >> bit & 1 for bit in range(BITS)], np.uint8)


def remembered(memory: GenerativeMemory, stream: list[tuple[int, int]]) -> MemoryState:
    state = memory.start(3)
    for counter, (label, number) in enumerate(stream, 1):
        state = memory.learn(state, code(number), label, counter=counter)
    return state


def probabilities(state: MemoryState) -> np.ndarray:
    return LEAST + (1 - 2 * LEAST) * state.prototypes / 255.0


@given(streams, st.integers(0, 2**BITS - 1))
def test_the_likelihood_is_that_of_a_bernoulli_mixture(stream: list[tuple[int, int]], number: int):
    memory = GenerativeMemory(BITS, 3, seed=5)
    state, z = remembered(memory, stream), code(number)[:, None, None]
    mu = probabilities(state)
    by_component = (z * np.log(mu) + (1 - z) * np.log(1 - mu)).sum(0)
    for label, found in enumerate(memory.log_likelihood(state, z[:, 0, 0])):
        taken = state.counts[label].sum()
        if taken == 0:
            assert found == pytest.approx(BITS * math.log(0.5))
        else:
            shares = state.counts[label] / taken
            assert math.exp(found) == pytest.approx(float((shares * np.exp(by_component[label])).sum()), rel=1e-5)


@given(streams)
def test_every_label_is_counted_once_in_its_own_class(stream: list[tuple[int, int]]):
    state = remembered(GenerativeMemory(BITS, 3), stream)
    for label in range(3):
        assert state.counts[label].sum() == sum(given_ == label for given_, _ in stream)
    assert state.last.max() == len(stream)


@given(streams)
def test_memory_repeats_to_the_bit_and_leaves_the_old_state_alone(stream: list[tuple[int, int]]):
    memory = GenerativeMemory(BITS, 2, rate_floor=0.3, seed=9)
    before = remembered(memory, stream)
    kept = [part.copy() for part in before]
    after = [memory.learn(before, code(77), 1, counter=10**6) for _ in range(2)]
    assert all(np.array_equal(one, other) for one, other in zip(*after, strict=True))
    assert all(np.array_equal(one, other) for one, other in zip(before, kept, strict=True))


@given(streams, streams, st.sampled_from([None, 1.0]))
def test_many_codes_by_one_call_are_learned_as_one_by_one(
    past: list[tuple[int, int]], stream: list[tuple[int, int]], surprise: float | None
):
    memory = GenerativeMemory(BITS, 3, rate_floor=0.1, surprise=surprise, seed=9)
    before = remembered(memory, past)
    kept = [part.copy() for part in before]
    codes, labels = np.stack([code(number) for _, number in stream]), np.array([label for label, _ in stream])
    together, one_by_one = memory.learn_each(before, codes, labels, counter=700), before
    for counter, (one, label) in enumerate(zip(codes, labels, strict=True), 700):
        one_by_one = memory.learn(one_by_one, one, int(label), counter=counter)
    assert all(np.array_equal(*pair) for pair in zip(together, one_by_one, strict=True))
    assert all(np.array_equal(*pair) for pair in zip(before, kept, strict=True))


def test_codes_that_do_not_fit_their_classes_are_refused():
    memory = GenerativeMemory(BITS, 3)
    with pytest.raises(ValueError, match="codes must be 2, one for each index, got 3"):
        memory.learn_each(memory.start(3), np.zeros((3, BITS), np.uint8), np.array([0, 1]), counter=1)
    for wrong in (-1, 3):
        with pytest.raises(ValueError, match=f"a class index must be in 0 … 2, got {wrong}"):
            memory.learn_each(memory.start(3), np.zeros((1, BITS), np.uint8), np.array([wrong]), counter=1)
        with pytest.raises(ValueError, match=f"a class index must be in 0 … 2, got {wrong}"):
            memory.learn(memory.start(3), np.zeros(BITS, np.uint8), wrong, counter=1)


@pytest.mark.parametrize("memory", [GenerativeMemory(BITS, 3), SparseMemory(BITS)])
def test_what_is_no_code_of_the_memory_is_refused(memory: GenerativeMemory | SparseMemory):
    state = memory.start(2)
    for wrong in (np.zeros(BITS - 1, np.uint8), np.zeros(BITS + 1, np.uint8), np.zeros(BITS, np.float64)):
        with pytest.raises(ValueError, match="codes must have 12 bits of uint8"):
            memory.log_likelihood(state, wrong)
        with pytest.raises(ValueError, match="codes must have 12 bits of uint8"):
            memory.learn(state, wrong, 0, counter=1)
    with pytest.raises(ValueError, match="codes must be of 0 and 1, got 200"):
        memory.learn(state, np.full(BITS, 200, np.uint8), 0, counter=1)
    with pytest.raises(ValueError, match="a class index must be in 0 … 1, got 2"):
        memory.learn(state, np.zeros(BITS, np.uint8), 2, counter=1)


@given(streams)
def test_a_class_added_later_changes_nothing_that_was_remembered(stream: list[tuple[int, int]]):
    memory = GenerativeMemory(BITS, 3)
    state = remembered(memory, stream)
    grown = memory.grow(state, 4)
    assert np.array_equal(memory.log_likelihood(grown, code(5))[:3], memory.log_likelihood(state, code(5)))


@given(st.floats(0.02, 1.0))
def test_rounding_keeps_the_mean(rate: float):
    memory = GenerativeMemory(4000, 1, rate_floor=rate)
    state = memory.learn(memory.start(1), np.zeros(4000, np.uint8), 0, counter=1)
    moved = memory.learn(state, np.ones(4000, np.uint8), 0, counter=2)
    effective = max(0.5, rate)
    expected = min(1 - LEAST, 0.1 + effective * 0.9)
    assert probabilities(moved).mean() == pytest.approx(expected, abs=0.004)


def test_the_conscience_shares_the_work():
    generator = np.random.Generator(np.random.Philox(4))
    centres = generator.random((4, 64)) < 0.5
    memory = GenerativeMemory(64, 4, seed=2)
    state = memory.start(1)
    for counter in range(1, 401):
        noisy = centres[counter % 4] ^ (generator.random(64) < 0.05)
        state = memory.learn(state, noisy.astype(np.uint8), 0, counter=counter)
    assert state.counts.min() > 60


def test_a_growing_memory_starts_a_component_only_where_it_is_surprised():
    memory = GenerativeMemory(64, 8, surprise=5.0)
    state, old, new = memory.start(1), np.zeros(64, np.uint8), np.ones(64, np.uint8)
    for counter in range(1, 21):
        state = memory.learn(state, old, 0, counter=counter)
    assert np.count_nonzero(state.counts) == 1
    state = memory.learn(state, new, 0, counter=21)
    assert np.count_nonzero(state.counts) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bits", 0),
        ("components", 0),
        ("rate_floor", 0.0),
        ("rate_floor", 1.5),
        ("surprise", 0.0),
        ("seed", -1),
        ("lane", -1),
    ],
)
def test_a_setting_out_of_range_is_named(name: str, value: float):
    with pytest.raises(ValueError, match=name):
        GenerativeMemory(**({"bits": 4} | {name: value}))


@given(streams, st.lists(st.integers(0, 2**BITS - 1), min_size=1, max_size=20))
def test_what_a_code_recalls_depends_neither_on_its_neighbours_nor_on_what_was_looked_up(
    stream: list[tuple[int, int]], numbers: list[int]
):
    memory = GenerativeMemory(BITS, 3, seed=5)
    state, codes = remembered(memory, stream), np.stack([code(number) for number in numbers])
    alone = [np.concatenate(parts) for parts in zip(*(memory.recall(state, one[None]) for one in codes), strict=True)]
    assert all(np.array_equal(*pair) for pair in zip(memory.recall(state, codes), alone, strict=True))
    for odds in (None, memory.odds(state)):
        assert np.array_equal(memory.log_likelihoods(state, codes, odds), alone[1])


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(1.0, 500.0))
def test_a_class_is_as_likely_as_its_components_together_however_many_and_however_far_apart(
    seed: int, components: int, apart: float
):
    draw = np.random.Generator(np.random.Philox(seed))
    live = draw.integers(0, components + 1, 4)
    counts = np.where(np.arange(components) < live[:, None], draw.integers(1, 10**6, (4, components)), 0)
    logs = -apart * draw.random((3, 4, components)) - 100.0
    logs[:, counts == 0] = 1000.0  # void, and never looked at
    found = class_logs(logs.reshape(3, -1), counts, -7.0)
    shares = np.log(np.maximum(counts, 1)) - np.log(np.maximum(counts.sum(axis=1, keepdims=True), 1))
    expected = logsumexp(np.where(counts > 0, logs + shares, -np.inf), axis=2)
    np.testing.assert_allclose(found, np.where(live > 0, expected, -7.0), rtol=0.0, atol=2e-6)
