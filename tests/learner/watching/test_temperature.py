from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.watching.calibration import expected_calibration_error
from learner.watching.temperature import Temperature, TemperatureState

probabilities = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6).filter(lambda p: sum(p) > 0.1)
ONE = Temperature()


def normed(p: list[float]) -> np.ndarray:
    return np.array(p) / sum(p)


def loss(p: np.ndarray, index: int, log_temperature: float) -> float:
    return -math.log(ONE.applied(TemperatureState(log_temperature, 1), p)[index])


@given(probabilities, st.floats(-2.0, 2.0))
def test_a_temperature_changes_how_sure_but_not_of_what(p: list[float], log_temperature: float):
    said = normed(p)
    found = ONE.applied(TemperatureState(log_temperature, 1), said)
    assert found.sum() == pytest.approx(1.0)
    assert found[said.argmax()] == found.max()
    if log_temperature > 0:
        assert found.max() <= said.max() + 1e-9
    if log_temperature == 0:
        assert np.array_equal(found, said)


@given(st.lists(st.floats(0.05, 1.0), min_size=2, max_size=5), st.data(), st.floats(-1.0, 1.0))
def test_a_label_moves_it_against_the_slope_of_the_log_loss(p: list[float], data: st.DataObject, at: float):
    said, index = normed(p), data.draw(st.integers(0, len(p) - 1))
    slope = (loss(said, index, at + 1e-5) - loss(said, index, at - 1e-5)) / 2e-5
    moved = Temperature(rate=0.1, bound=100.0).learn(TemperatureState(at, 3), said, index)
    assert moved.log_temperature - at == pytest.approx(-0.1 * slope, abs=1e-6)
    assert moved.seen == 4


@given(st.lists(st.tuples(probabilities, st.integers(0, 1)), max_size=40))
def test_it_stays_within_its_bounds_whatever_comes(labels: list[tuple[list[float], int]]):
    temperature = Temperature(rate=5.0, most=4.0)
    state = temperature.start()
    for p, index in labels:
        before = state.log_temperature
        state = temperature.learn(state, normed(p), index)
        assert 0.25 - 1e-9 <= math.exp(state.log_temperature) <= 4.0 + 1e-9
        assert abs(state.log_temperature - before) <= 10.0
    assert state.seen == len(labels)


@pytest.mark.parametrize("too_sure", [0.5, 2.0], ids=["not sure enough", "too sure"])
def test_it_finds_the_temperature_that_a_stream_was_made_with(too_sure: float):
    draw = np.random.Generator(np.random.Philox(7))
    temperature = Temperature(rate=0.02)
    state, sure, right = temperature.start(), [], []
    for seq in range(6000):
        truth = np.exp(draw.normal(size=4) * 1.5)
        truth /= truth.sum()
        said = truth**too_sure / (truth**too_sure).sum()
        index = int(draw.choice(4, p=truth))
        found = temperature.applied(state, said)
        if seq >= 2000:
            sure.append(found.max())
            right.append(found.argmax() == index)
        state = temperature.learn(state, said, index)
    assert math.exp(state.log_temperature) == pytest.approx(too_sure, rel=0.35)
    assert expected_calibration_error(sure, right) < 0.04


@pytest.mark.parametrize(("name", "value"), [("rate", 0.0), ("bound", -1.0), ("most", 1.0)])
def test_a_setting_out_of_range_is_named(name: str, value: float):
    with pytest.raises(ValueError, match=name):
        Temperature(**{name: value})
