"""Rare classes count in full, common ones less, and a class by mistake or without labels changes little."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.asking.rarity import rarities

COUNTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=50)


@given(counts=COUNTS, data=st.data())
def test_weights_are_in_range_fall_with_labels_and_follow_their_classes(counts: list[int], data: st.DataObject) -> None:
    weights = rarities(counts)
    assert ((weights > 0.0) & (weights <= 1.0)).all()
    by_count = weights[np.argsort(counts, kind="stable")]
    assert (np.diff(by_count) <= 0.0).all()
    order = data.draw(st.permutations(range(len(counts))))
    assert np.array_equal(rarities([counts[position] for position in order]), weights[list(order)])


@given(count=st.integers(1, 10**9), classes=st.integers(1, 50), empty=st.integers(0, 50))
def test_equally_common_classes_count_alike_whatever_has_no_label_yet(count: int, classes: int, empty: int) -> None:
    assert np.array_equal(rarities([count] * classes + [0] * empty), np.ones(classes + empty))


@given(counts=COUNTS)
def test_weights_are_those_of_the_lower_quartile(counts: list[int]) -> None:
    known = [count for count in counts if count > 0]
    quartile = np.quantile(np.array(known, float), 0.25) if known else 0.0
    assert np.array_equal(rarities(counts), np.minimum(1.0, (quartile + 1.0) / (np.array(counts, float) + 1.0)))


def test_one_class_by_mistake_leaves_the_others_as_they_were() -> None:
    before = rarities([40, 40, 40, 40, 800, 800, 800, 800])
    after = rarities([40, 40, 40, 40, 800, 800, 800, 800, 1])
    assert np.array_equal(after[:8], before)
    assert before[4] < 0.1


def test_no_class_has_no_weight() -> None:
    assert rarities([]).size == 0
