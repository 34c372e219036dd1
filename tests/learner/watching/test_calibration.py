from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.watching.calibration import brier_score, expected_calibration_error, reliability

said = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)
both = pytest.mark.parametrize("equal_mass", [False, True], ids=["equal width", "equal mass"])


@both
@given(said=said, bins=st.integers(1, 20))
def test_a_table_holds_every_prediction_once_from_unsure_to_sure(
    equal_mass: bool, said: list[tuple[float, bool]], bins: int
):
    sure, right = map(np.array, zip(*said, strict=True))
    table = reliability(sure, right, bins=bins, equal_mass=equal_mass)
    assert table.predictions.sum() == len(said)
    assert table.predictions.min() > 0
    assert (table.predictions @ table.confidence) / len(said) == pytest.approx(sure.mean())
    assert (table.predictions @ table.accuracy) / len(said) == pytest.approx(right.mean())
    assert (np.diff(table.confidence) >= -1e-12).all()
    if equal_mass:
        assert table.predictions.max() - table.predictions.min() <= 1


@both
@given(said=said, bins=st.integers(1, 20))
def test_the_error_lies_between_the_gap_of_the_means_and_the_mean_gap(
    equal_mass: bool, said: list[tuple[float, bool]], bins: int
):
    sure, right = map(np.array, zip(*said, strict=True))
    error = expected_calibration_error(sure, right, bins=bins, equal_mass=equal_mass)
    assert abs(right.mean() - sure.mean()) - 1e-12 <= error <= np.abs(right - sure).mean() + 1e-12
    assert expected_calibration_error(sure, right, bins=1) == pytest.approx(abs(right.mean() - sure.mean()))


def test_bins_are_those_of_the_definition():
    table = reliability([0.0, 0.1, 0.100001, 0.2, 1.0], [0, 1, 1, 0, 1], bins=10)
    assert table.predictions.tolist() == [2, 2, 1]
    assert table.accuracy.tolist() == [0.5, 0.5, 1.0]


@both
def test_what_is_calibrated_has_a_small_error_and_what_is_too_sure_a_large_one(equal_mass: bool):
    draw = np.random.Generator(np.random.Philox(1))
    sure = draw.uniform(0.5, 1.0, 40_000)
    right = draw.random(40_000) < sure
    assert expected_calibration_error(sure, right, equal_mass=equal_mass) < 0.01
    too_sure = 1.0 - (1.0 - sure) / 2.0
    assert expected_calibration_error(too_sure, right, equal_mass=equal_mass) == pytest.approx(0.125, abs=0.01)


def test_the_brier_score_is_the_squared_distance_from_the_truth():
    assert brier_score([[1.0, 0.0], [1.0, 0.0]], [0, 1]) == 1.0
    assert brier_score([[1 / 3, 1 / 3, 1 / 3]], [2]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: reliability([0.5], [1], bins=0), "bins must be >= 1"),
        (lambda: reliability([0.5, 0.5], [1]), "must both be"),
        (lambda: reliability([1.5], [1]), "must be in 0 … 1"),
        (lambda: reliability([float("nan")], [1]), "must be in 0 … 1"),
        (lambda: expected_calibration_error([], []), "at least one"),
        (lambda: brier_score([[0.5, 0.5]], [2]), "labels must be in 0 … 1"),
        (lambda: brier_score([[0.5, 0.5]], [-1]), "labels must be in 0 … 1"),
        (lambda: brier_score([0.5], [0]), "must be"),
    ],
)
def test_what_does_not_fit_is_refused(call, says: str):
    with pytest.raises(ValueError, match=says):
        call()
