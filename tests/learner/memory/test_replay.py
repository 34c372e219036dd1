from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.memory.mixture import GenerativeMemory, MemoryState
from learner.memory.replay import Replay

MEMORY = GenerativeMemory(16, 2)


def after(labels: list[int], classes: int = 4) -> MemoryState:
    state = MEMORY.start(classes)
    for counter, label in enumerate(labels, 1):
        state = MEMORY.learn(state, np.full(16, label % 2, np.uint8), label, counter=counter)
    return state


def test_a_steady_rotation_is_never_replayed():
    assert Replay().dream(MEMORY, after([0, 1, 2, 3] * 20), counter=81) is None


def test_only_classes_missing_for_long_are_replayed_and_each_as_it_was():
    dream = Replay(draws=50).dream(MEMORY, after([0, 1] * 10 + [2, 3] * 30), counter=81)
    assert dream is not None
    assert set(dream.labels.tolist()) == {0, 1}
    assert dream.codes[dream.labels == 0].mean() < 0.2
    assert dream.codes[dream.labels == 1].mean() > 0.8


def test_stale_and_fresh_classes_learn_at_one_rate():
    dream = Replay(draws=50).dream(MEMORY, after([0, 1, 2] * 10 + [3] * 90), counter=121)
    assert dream is not None
    assert dream.weight * 50 == pytest.approx(3.0)


@given(st.lists(st.integers(0, 3), max_size=60))
def test_a_class_never_seen_is_never_dreamt(labels: list[int]):
    dream = Replay(patience=0.5).dream(MEMORY, after(labels), counter=100)
    assert dream is None or set(dream.labels.tolist()) <= set(labels)


def test_dreams_repeat_to_the_bit():
    state = after([0] * 9 + [1] * 40)
    first, second = (Replay(seed=3).dream(MEMORY, state, counter=50) for _ in range(2))
    assert first is not None
    assert second is not None
    assert np.array_equal(first.codes, second.codes)
