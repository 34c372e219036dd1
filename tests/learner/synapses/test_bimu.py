from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learner.synapses.bimu import BiMURule, bimu_delta
from tests.learner.golden import golden

UNIT = {"lr": 1.0, "lr_max": 1.0, "likelihood_multiplier": 1.0, "kl_multiplier": 1.0, "memory_window": 100.0}
lams = st.floats(-12.0, 12.0)
grads = st.floats(-1e3, 1e3).filter(lambda g: g == 0.0 or abs(g) > 1e-9)


def test_the_step_equals_the_golden_numbers_to_nine_digits():
    for case in golden("bimu_update"):
        given_ = dict(case["hyperparameters"])
        given_["memory_window"] = given_.pop("N")
        lam, grad = (torch.tensor(case[name], dtype=torch.float64) for name in ("lambda_", "gradient"))
        expected = torch.tensor(case["delta"], dtype=torch.float64)
        torch.testing.assert_close(bimu_delta(lam, grad, **given_), expected, rtol=1e-9, atol=1e-9)


def test_the_step_equals_the_formula_worked_by_hand():
    lam, grad = 0.8, -0.3
    t, held = math.tanh(lam), 1 - math.tanh(lam) ** 2
    expected = -(grad + held * lam / 100) / (held + 2 * grad * t + 2 * abs(grad) + 1)
    step = bimu_delta(torch.tensor([lam], dtype=torch.float64), torch.tensor([grad], dtype=torch.float64), **UNIT)
    assert float(step) == pytest.approx(expected, rel=1e-14)


def test_nothing_is_forgotten_where_nothing_is_learned():
    assert not BiMURule().delta(torch.tensor([3.0, -2.0]), torch.zeros(2)).any()


@given(lams, grads)
def test_the_step_goes_against_the_gradient_beyond_the_pull_of_the_prior(lam: float, grad: float):
    pair = torch.tensor([lam, 0.0], dtype=torch.float64)
    step = bimu_delta(pair, torch.tensor([grad, 1.0], dtype=torch.float64), **UNIT)[0]
    pull = (1 - math.tanh(lam) ** 2) * lam / 100
    assert float(step) * (grad + pull) <= 0.0


@given(lams, st.floats(0.0, 1.0))
def test_a_floor_of_the_pull_holds_what_is_certain_and_nothing_else(lam: float, floor: float):
    pair, slope = torch.tensor([lam, 1.0], dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
    unsure = 1 - math.tanh(lam) ** 2
    step = float(bimu_delta(pair, slope, **UNIT, pull_floor=floor)[0])
    assert step == pytest.approx(-max(unsure, floor) * lam / 100 / (unsure + 1), rel=1e-9)
    if unsure >= floor:
        assert step == float(bimu_delta(pair, slope, **UNIT)[0])


@pytest.mark.parametrize("floor", [-0.1, 1.1, math.nan])
def test_a_floor_out_of_range_is_named(floor: float):
    with pytest.raises(ValueError, match="pull_floor must be in"):
        BiMURule(pull_floor=floor)


@given(lams, grads)
def test_the_rule_is_odd(lam: float, grad: float):
    pair, slope = torch.tensor([lam, 1.0], dtype=torch.float64), torch.tensor([grad, 1.0], dtype=torch.float64)
    torch.testing.assert_close(bimu_delta(-pair, -slope, **UNIT), -bimu_delta(pair, slope, **UNIT))


@given(lams, grads)
def test_the_step_is_bounded_by_lr_over_two_weights_of_doubt_and_lr_max(lam: float, grad: float):
    rule = BiMURule(lr=1.0, lr_max=0.05, likelihood_multiplier=1.0, kl_multiplier=1.0, memory_window=100.0)
    step = rule.delta(torch.tensor([lam, 0.0], dtype=torch.float64), torch.tensor([grad, 1.0], dtype=torch.float64))[0]
    assert abs(float(step)) <= (abs(grad) + abs(lam) / 100) * 0.05 + 1e-12


@pytest.mark.parametrize("name", ["lr", "lr_max", "likelihood_multiplier", "kl_multiplier", "memory_window"])
def test_a_constant_out_of_range_is_named(name: str):
    with pytest.raises(ValueError, match=name):
        BiMURule(**{name: 0.0})


@given(lams, grads, st.integers(1, 40), st.integers(0, 10**6))
def test_the_prior_pulls_seldom_and_then_as_often_as_it_was_left_out(lam: float, grad: float, every: int, counter: int):
    rule = BiMURule(memory_window=1e4, pull_every=every)
    pair, slope = torch.tensor([lam, 1.0], dtype=torch.float64), torch.tensor([grad, 1.0], dtype=torch.float64)
    step = float(rule.delta(pair, slope, counter=counter)[0])
    g, t = rule.likelihood_multiplier * grad, math.tanh(lam)
    pull = rule.kl_multiplier * lam / rule.memory_window * (every if counter % every == 0 else 0)
    below = rule.kl_multiplier * (1 - t * t) + 2 * g * t + 2 * abs(g) + 1 / rule.lr_max
    assert step == pytest.approx(-(rule.lr * g + pull) / below, rel=1e-9, abs=1e-300)


def test_few_strong_pulls_end_where_many_weak_ones_do():
    ends = []
    for every in (1, 16):
        rule, lam = BiMURule(pull_every=every), torch.tensor([3.0, -1.0, 0.2, 1.0], dtype=torch.float64)
        quiet = torch.tensor([0.0, 0.0, 0.0, 1e-12], dtype=torch.float64)
        for counter in range(1, 4801):
            lam = lam + rule.delta(lam, quiet, counter=counter)
        ends.append(lam)
    assert float(ends[0][0]) < 2.9
    torch.testing.assert_close(ends[0], ends[1], rtol=2e-4, atol=0.0)


@pytest.mark.parametrize("every", [0, -1, 100, 200])
def test_pulls_that_are_out_of_range_are_named(every: int):
    with pytest.raises(ValueError, match="pull_every must be >= 1 and below memory_window, 100, got"):
        BiMURule(memory_window=100.0, pull_every=every)
