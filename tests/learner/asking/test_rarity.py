"""Rare classes count in full, common ones less; and a class that hardly ever comes is told by the samples alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.asking.rarity import UNSEEN, counted, rarities, scarcity

CAME = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 2000), max_size=8)
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


@given(came=CAME, label=st.sampled_from("abcdefgh"), more=st.integers(1, 500))
def test_a_class_is_the_less_scarce_the_more_often_it_came(came: dict[str, int], label: str, more: int) -> None:
    before = scarcity(came, label, 8)
    assert 0.0 <= scarcity({**came, label: came.get(label, 0) + more}, label, 8) <= before < 1.0


@given(classes=st.integers(1, 60), each=st.integers(0, 500))
def test_no_class_is_scarce_where_all_come_alike(classes: int, each: int) -> None:
    came = {str(name): each for name in range(classes)}
    assert {scarcity(came, name, classes) for name in came} == {0.0}


@given(classes=st.integers(2, 20), length=st.integers(0, 200), data=st.data())
def test_a_few_samples_make_no_class_scarce(classes: int, length: int, data: st.DataObject) -> None:
    """Fewer than twelve for each class leave even one that never came a quarter of its share."""
    came = UNSEEN
    for _ in range(min(length, 12 * classes - 1)):
        came = counted(came, data.draw(st.sampled_from("xyz")), classes)
    assert scarcity(came, "a", classes) == 0.0


@given(labels=st.lists(st.sampled_from("abc"), max_size=2000), classes=st.integers(3, 5))
def test_what_is_remembered_is_bounded_and_old_samples_count_for_less(labels: list[str], classes: int) -> None:
    came = UNSEEN
    for label in labels:
        before = dict(came)
        came = counted(before, label, classes)
        assert sum(came.values()) < 200 * classes
    for _ in range(400 * classes):
        came = counted(came, "new", classes)
    assert scarcity(came, "new", classes) == 0.0 < scarcity(came, "a", classes)
