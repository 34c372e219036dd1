"""Accuracy from labels that were not chosen at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.watching.accuracy import weighted_accuracy

weights = st.lists(st.tuples(st.booleans(), st.floats(1.0, 1e4)), min_size=1, max_size=50)


@given(weights)
def test_the_interval_lies_in_0_to_1_and_holds_the_estimate(labels: list[tuple[bool, float]]) -> None:
    found = weighted_accuracy(
        math.fsum(w for right, w in labels if right),
        math.fsum(w for _, w in labels),
        math.fsum(w * w for _, w in labels),
    )
    assert found is not None
    assert 0.0 <= found.low <= found.estimate + 1e-9
    assert found.estimate - 1e-9 <= found.high <= 1.0


@given(st.integers(1, 200), st.integers(0, 200), st.floats(1.0, 1e3))
def test_equal_weights_count_as_so_many_plain_labels(count: int, right: int, weight: float) -> None:
    right = min(right, count)
    plain = weighted_accuracy(right, count, count)
    scaled = weighted_accuracy(right * weight, count * weight, count * weight * weight)
    assert plain is not None
    assert scaled is not None
    assert scaled == pytest.approx(plain, abs=1e-9)


def test_without_labels_there_is_no_estimate() -> None:
    assert weighted_accuracy(0.0, 0.0, 0.0) is None


def test_sums_that_cannot_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="correct must be"):
        weighted_accuracy(2.0, 1.0, 1.0)


def test_weighting_by_propensity_undoes_the_choice_of_hard_samples() -> None:
    random = np.random.default_rng(0)
    hard = random.random(40_000) < 0.3
    right = random.random(40_000) < np.where(hard, 0.4, 0.98)
    propensity = np.where(hard, 0.8, 0.05)
    asked = random.random(40_000) < propensity
    weight = 1.0 / propensity[asked]
    found = weighted_accuracy(float(weight[right[asked]].sum()), float(weight.sum()), float((weight * weight).sum()))
    assert found is not None
    assert found.low < right.mean() < found.high
    assert abs(right[asked].mean() - right.mean()) > 0.2
