"""Accuracy from labels that were not chosen at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.watching.accuracy import accuracy, weighted_share
from learner.watching.strata import CAME_WITH_TRUTH, NEVER_ASKED, Labelled, Population, stratum_of

weights = st.lists(st.tuples(st.booleans(), st.floats(1.0, 1e4)), min_size=1, max_size=50)


@given(weights)
def test_the_interval_lies_in_0_to_1_and_holds_the_estimate(labels: list[tuple[bool, float]]) -> None:
    found = weighted_share(
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
    plain = weighted_share(right, count, count)
    scaled = weighted_share(right * weight, count * weight, count * weight * weight)
    assert plain is not None
    assert scaled is not None
    assert scaled == pytest.approx(plain, abs=1e-9)


def test_without_labels_there_is_no_estimate() -> None:
    assert weighted_share(0.0, 0.0, 0.0) is None


def test_sums_that_cannot_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="right must be"):
        weighted_share(2.0, 1.0, 1.0)


def test_weighting_by_propensity_undoes_the_choice_of_hard_samples() -> None:
    random = np.random.default_rng(0)
    hard = random.random(40_000) < 0.3
    right = random.random(40_000) < np.where(hard, 0.4, 0.98)
    propensity = np.where(hard, 0.8, 0.05)
    asked = random.random(40_000) < propensity
    found = accuracy(*counted(propensity, asked, asked, right))
    assert found is not None
    assert found.anytime_low < found.low < right.mean() < found.high < found.anytime_high
    assert abs(right[asked].mean() - right.mean()) > 0.2
    assert found.covered == 1.0


def test_what_is_known_of_every_sample_is_no_estimate() -> None:
    right = np.random.default_rng(1).random(200) < 0.8
    certain, every = np.ones(200), np.full(200, fill_value=True)
    found = accuracy(*counted(certain, every, every, right))
    assert found is not None
    assert found.low == pytest.approx(found.high) == pytest.approx(right.mean())
    assert found.anytime_low <= found.estimate <= found.anytime_high


def test_answers_that_are_missing_at_random_among_the_like_change_nothing_but_the_width() -> None:
    random = np.random.default_rng(2)
    hard = random.random(60_000) < 0.5
    right = random.random(60_000) < np.where(hard, 0.5, 0.95)
    propensity = np.where(hard, 0.6, 0.1)
    asked = random.random(60_000) < propensity
    answered = asked & (random.random(60_000) < np.where(hard, 0.9, 0.3))
    whole, lossy = (accuracy(*counted(propensity, asked, known, right)) for known in (asked, answered))
    assert whole is not None
    assert lossy is not None
    assert lossy.estimate == pytest.approx(right.mean(), abs=0.02)
    assert lossy.high - lossy.low > whole.high - whole.low
    uncorrected = np.average(right[answered], weights=1.0 / propensity[answered])
    assert abs(uncorrected - right.mean()) > 0.1


def test_truths_that_arrive_later_for_a_share_narrow_the_interval_and_do_not_bias_it() -> None:
    random = np.random.default_rng(3)
    hard = random.random(60_000) < 0.3
    right = random.random(60_000) < np.where(hard, 0.4, 0.98)
    propensity = np.where(hard, 0.6, 0.005)
    asked = random.random(60_000) < propensity
    told = random.random(60_000) < 0.05
    alone, both = (accuracy(*counted(propensity, asked, known, right)) for known in (asked, asked | told))
    assert alone is not None
    assert both is not None
    assert both.estimate == pytest.approx(right.mean(), abs=0.01)
    assert both.high - both.low < 0.5 * (alone.high - alone.low)


def test_samples_that_no_coin_could_ask_are_not_covered_unless_truths_come() -> None:
    asked = [Population(0, 100, 100, 1.0), Population(NEVER_ASKED, 300, 0, 0.0)]
    answers = [Labelled(0, 1.0, asked=True, right=True, labels=100)]
    found = accuracy(asked, answers)
    assert found is not None
    assert (found.covered, found.estimate) == (0.25, 1.0)
    truths = [
        Labelled(NEVER_ASKED, 0.0, asked=False, right=True, labels=15),
        Labelled(NEVER_ASKED, 0.0, asked=False, right=False, labels=15),
    ]
    found = accuracy(asked, answers + truths)
    assert found is not None
    assert (found.covered, found.estimate) == (1.0, pytest.approx(0.25 + 0.75 * 0.5))


def test_samples_that_brought_their_truth_speak_for_themselves_only() -> None:
    population = [Population(CAME_WITH_TRUTH, 1000, 0, 1.0), Population(4, 1000, 50, 0.0625)]
    labels = [
        Labelled(CAME_WITH_TRUTH, 1.0, asked=False, right=False, labels=1000),
        Labelled(4, 0.0625, asked=True, right=True, labels=50),
    ]
    found = accuracy(population, labels)
    assert found is not None
    assert found.estimate == 0.5
    assert found.high == pytest.approx(0.5)


def test_a_stratum_nobody_answered_in_may_be_anything() -> None:
    population = [Population(0, 100, 100, 1.0), Population(8, 900, 2, 0.005)]
    found = accuracy(population, [Labelled(0, 1.0, asked=True, right=True, labels=100)])
    assert found is not None
    assert found.high == 1.0
    assert found.low < 0.2


def test_truths_of_the_oldest_samples_do_not_speak_for_those_of_a_model_that_has_learned_since() -> None:
    old = [Population(8, 100, 1, 0.005, 0), Population(8, 2000, 10, 0.005, 7)]
    truths = [
        Labelled(8, 0.005, asked=asked, right=right, labels=labels)
        for asked, right, labels in ((True, False, 1), (False, True, 9), (False, False, 90))
    ]
    answers = [Labelled(8, 0.005, asked=True, right=True, labels=10, age=7)]
    found = accuracy(old, truths + answers)
    assert found is not None
    assert found.estimate == pytest.approx((100 * 0.09 + 2000 * 1.0) / 2100)
    silent = accuracy(old, truths)
    assert silent is not None
    assert silent.low < 0.05
    assert silent.high > 0.95
    assert silent.anytime_low < 0.05
    assert silent.anytime_high > 0.95


def counted(
    propensity: np.ndarray, asked: np.ndarray, known: np.ndarray, right: np.ndarray
) -> tuple[list[Population], list[Labelled]]:
    strata = np.array([stratum_of(p) for p in propensity])
    population = [
        Population(
            int(h), int((strata == h).sum()), int(asked[strata == h].sum()), float(propensity[strata == h].min())
        )
        for h in np.unique(strata)
    ]
    labelled = [
        Labelled(int(strata[i]), float(propensity[i]), bool(asked[i]), bool(right[i]), 1) for i in np.flatnonzero(known)
    ]
    return population, labelled
