from __future__ import annotations

import numpy as np
import pytest

from learner.memory.recollection import Recollection
from learner.memory.replay import Replay
from learner.memory.sparse import SparseMemory

CODES = np.random.Generator(np.random.Philox(5)).random((30, 40)) < 0.2
MEMORY = SparseMemory(bits=40)


def after(amount: int):
    state = MEMORY.start(3)
    for number in range(amount):
        state = MEMORY.learn(state, CODES[number].astype(np.uint8), number % 2, counter=number)
    return state


def test_the_likelihood_is_the_formula():
    state, z = after(20), CODES[25]
    sums = np.stack([CODES[0:20:2].sum(0), CODES[1:20:2].sum(0), np.zeros(40)])
    background = (sums.sum(axis=0) + 0.5) / 21.0
    p = (sums + 3.0 * background) / (np.array([10, 10, 0])[:, None] + 3.0)
    expected = np.log(p / background)[:, z].sum(axis=1) - (p - background).sum(axis=1)
    assert MEMORY.log_likelihood(state, z.astype(np.uint8)) == pytest.approx(expected, abs=1e-9)
    assert expected[2] == pytest.approx(0.0, abs=1e-9)


def test_light_bits_weigh_less_and_none_of_them_is_the_memory_without_them():
    z, light = CODES[25].astype(np.uint8), SparseMemory(40, light=15, weight=0.5)
    parts = [SparseMemory(25), SparseMemory(15)]
    states = [memory.start(3) for memory in (light, *parts)]
    for number in range(20):
        code = CODES[number].astype(np.uint8)
        pieces = (code, code[:25], code[25:])
        states = [
            memory.learn(state, piece, number % 2, counter=number)
            for memory, state, piece in zip((light, *parts), states, pieces, strict=True)
        ]
    heavy, rest = (m.log_likelihood(s, p) for m, s, p in zip(parts, states[1:], (z[:25], z[25:]), strict=True))
    assert light.log_likelihood(states[0], z) == pytest.approx(heavy + 0.5 * rest, abs=1e-9)
    whole = SparseMemory(40, light=15, weight=1.0)
    assert whole.log_likelihood(after(20), z).tolist() == MEMORY.log_likelihood(after(20), z).tolist()


def test_a_class_grown_later_is_one_that_was_there():
    state = SparseMemory(40).start(2)
    for number in range(20):
        state = MEMORY.learn(state, CODES[number].astype(np.uint8), number % 2, counter=number)
    for grown, there in zip(MEMORY.grow(state, 3), after(20), strict=True):
        assert np.array_equal(grown, there)
    with pytest.raises(ValueError, match="classes must be >= 2"):
        MEMORY.grow(state, 1)


def test_a_dream_has_only_bits_that_its_class_has_had():
    state = after(10)
    for number in range(10, 110):
        state = MEMORY.learn(state, CODES[number % 30].astype(np.uint8), 0, counter=number)
    dream = Replay(patience=3.0).dream(MEMORY, state, counter=1)
    assert set(dream.labels) == {1}
    assert not dream.codes[:, ~CODES[1:10:2].any(axis=0)].any()


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="bits"):
        SparseMemory(0)
    with pytest.raises(ValueError, match="smoothing"):
        SparseMemory(4, smoothing=0.0)
    with pytest.raises(ValueError, match="light"):
        SparseMemory(4, light=5)
    with pytest.raises(ValueError, match="weight"):
        SparseMemory(4, light=2, weight=1.5)
    with pytest.raises(ValueError, match="temperature"):
        Recollection((MEMORY,), temperature=0.0)
