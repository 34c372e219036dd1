"""The adaptive window, beside River's."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from river.drift import ADWIN

from learner.watching.adwin import Adwin


def bits(share: float, count: int, seed: int) -> list[float]:
    rng = random.Random(seed)
    return [float(rng.random() < share) for _ in range(count)]


def first_change(window: Adwin, values: list[float]) -> int | None:
    return next((n for n, value in enumerate(values) if window.update(value)), None)


def river_change(values: list[float]) -> int | None:
    window = ADWIN(delta=0.002)
    for n, value in enumerate(values):
        window.update(value)
        if window.drift_detected:
            return n
    return None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [0.15, 0.3, 0.6])
def test_a_shift_is_found_when_river_finds_it(seed: int, shift: float) -> None:
    values = bits(0.1, 1000, seed) + bits(0.1 + shift, 1500, seed + 100)
    own, other = first_change(Adwin(), values), river_change(values)
    assert own is not None
    assert other is not None
    assert own >= 1000
    assert abs(own - other) <= 64


def test_hardly_anything_is_found_where_nothing_changes() -> None:
    alarms = sum(
        first_change(Adwin(), bits(share, 3000, seed)) is not None for share in (0.02, 0.5) for seed in range(10)
    )
    assert alarms <= 1


@given(st.lists(st.floats(0.0, 1.0), max_size=300))
def test_the_window_holds_the_newest_values_and_their_mean(values: list[float]) -> None:
    window = Adwin()
    for value in values:
        window.update(value)
    kept = values[len(values) - len(window) :]
    assert len(window) <= len(values)
    assert window.mean == pytest.approx(sum(kept) / len(kept) if kept else 0.0, abs=1e-9)


@given(st.lists(st.sampled_from([0.0, 1.0]), max_size=200), st.lists(st.sampled_from([0.0, 1.0]), max_size=200))
def test_it_goes_on_from_json_as_if_nothing_had_happened(before: list[float], after: list[float]) -> None:
    whole, part = Adwin(0.05), Adwin(0.05)
    for value in before:
        whole.update(value)
        part.update(value)
    part = Adwin.from_json(json.loads(json.dumps(part.to_json())))
    assert [whole.update(value) for value in after] == [part.update(value) for value in after]
    assert whole.to_json() == part.to_json()


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="delta must be"):
        Adwin(0.0)
    with pytest.raises(ValueError, match="value must be"):
        Adwin().update(1.5)
