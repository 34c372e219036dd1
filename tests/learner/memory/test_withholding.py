from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.memory.likelihood_kernels import OFF
from learner.memory.mixture import GenerativeMemory, MemoryState
from learner.memory.sparse import SparseMemory
from learner.memory.withholding import merged, withheld

BITS = 10
streams = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**BITS - 1)), min_size=1, max_size=30)
leasts = st.integers(1, 5)


def code(number: int) -> np.ndarray:
    return np.array([number >> bit & 1 for bit in range(BITS)], np.uint8)


def remembered(memory: GenerativeMemory | SparseMemory, stream: list[tuple[int, int]]) -> MemoryState:
    state = memory.start(3)
    for counter, (label, number) in enumerate(stream, 1):
        state = memory.learn(state, code(number), label, counter=counter)
    return state


def equal(one: MemoryState, other: MemoryState) -> bool:
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


@given(streams, leasts)
def test_nothing_small_is_left_and_what_is_left_stands_in_front(stream: list[tuple[int, int]], least: int):
    state = remembered(GenerativeMemory(BITS, 4), stream)
    for found in (withheld(state, least), merged(state, least)):
        live = found.counts > 0
        assert found.counts[live].min(initial=least) >= least
        assert np.array_equal(live, np.sort(live, axis=1)[:, ::-1])
        assert np.allclose(found.off[live], OFF[found.prototypes].sum(axis=0)[live])
        gone = ~live
        assert not found.prototypes[:, gone].any()
        assert not found.last[gone].any()
        assert not found.off[gone].any()
        assert not found.spread[~live.any(axis=1)].any()


@given(streams, leasts)
def test_withheld_keeps_large_components_as_they_are_and_does_nothing_twice(stream: list[tuple[int, int]], least: int):
    state = remembered(GenerativeMemory(BITS, 4), stream)
    found = withheld(state, least)
    for index in range(3):
        large = state.counts[index] >= least
        assert np.array_equal(found.prototypes[:, index, : large.sum()], state.prototypes[:, index, large])
        assert np.array_equal(found.counts[index, : large.sum()], state.counts[index, large])
    assert equal(withheld(found, least), found)
    assert equal(withheld(state, 1), state)


@given(streams, leasts)
def test_merging_keeps_every_count_and_the_mean_of_a_class_that_has_where_to_merge(
    stream: list[tuple[int, int]], least: int
):
    state = remembered(GenerativeMemory(BITS, 4), stream)
    found = merged(state, least)
    for index in range(3):
        before, after = state.counts[index], found.counts[index]
        if (before >= least).any():
            assert after.sum() == before.sum()
            means = [of.prototypes[:, index] @ of.counts[index] / before.sum() for of in (state, found)]
            assert np.abs(means[0] - means[1]).max() <= 0.5
            assert found.last[index].max() == state.last[index].max()
        else:
            assert after.sum() == 0
    assert equal(merged(found, least), found)
    assert equal(merged(state, 1), state)


@given(streams, leasts)
def test_the_old_state_is_left_alone(stream: list[tuple[int, int]], least: int):
    state = remembered(GenerativeMemory(BITS, 4), stream)
    kept = MemoryState(*(part.copy() for part in state))
    merged(state, least)
    withheld(state, least)
    assert equal(state, kept)


@given(streams, leasts)
def test_a_memory_learns_on_from_what_is_left(stream: list[tuple[int, int]], least: int):
    memory = GenerativeMemory(BITS, 4)
    for found in (make(remembered(memory, stream), least) for make in (withheld, merged)):
        before = found.counts.sum()
        learned = memory.learn(found, code(77), 1, counter=10**6)
        assert learned.counts.sum() == before + 1
        assert learned.counts[0].tolist() == found.counts[0].tolist()


def test_a_single_sample_goes_to_the_nearest_of_its_own_class():
    memory = GenerativeMemory(BITS, 3)
    state = memory.start(2)
    near, far = np.zeros(BITS, np.uint8), np.ones(BITS, np.uint8)
    alone = near.copy()
    alone[0] = 1
    stream = [(far, 0), (near, 0), (alone, 0), *[(far, 0)] * 4, *[(near, 0)] * 4, (alone, 1)]
    for counter, (z, label) in enumerate(stream, 1):
        state = memory.learn(state, z, label, counter=counter)
    assert state.counts.tolist() == [[5, 5, 1], [1, 0, 0]]
    found = merged(state)
    assert found.counts.tolist() == [[5, 6, 0], [0, 0, 0]]
    expected = np.rint((5.0 * state.prototypes[:, 0, 1] + state.prototypes[:, 0, 2]) / 6.0)
    assert np.array_equal(found.prototypes[:, 0, 1], expected)
    assert np.array_equal(found.prototypes[:, 0, 0], state.prototypes[:, 0, 0])
    assert memory.log_likelihood(found, alone)[1] == pytest.approx(BITS * np.log(0.5))


def test_a_class_with_one_text_is_withheld_from_a_memory_of_texts():
    memory = SparseMemory(BITS)
    state = remembered(memory, [(0, 3), (0, 5), (1, 9)])
    found = withheld(state)
    expected = remembered(memory, [(0, 3), (0, 5)])
    assert equal(found, expected)
    with pytest.raises(ValueError, match="must be a mixture's"):
        merged(state)


@pytest.mark.parametrize("make", [withheld, merged])
def test_a_least_below_one_is_refused(make):
    with pytest.raises(ValueError, match="least must be >= 1"):
        make(GenerativeMemory(BITS, 2).start(1), 0)
