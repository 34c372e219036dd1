from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learner.synapses.metaplastic import Moments, adam_step, metaplastic_factor

weights = st.floats(-2.0, 2.0, allow_subnormal=False)
slopes = st.floats(-1.0, 1.0, allow_subnormal=False).filter(lambda g: abs(g) > 1e-3)


def doubles(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@given(w=weights, m=st.floats(0.0, 50.0))
def test_the_factor_is_one_less_the_squared_tangent(w: float, m: float):
    found = float(metaplastic_factor(doubles(w), m))
    assert found == pytest.approx(1.0 - math.tanh(m * abs(w)) ** 2, abs=1e-12)
    assert 0.0 <= found <= 1.0


@given(w=weights, g=slopes, m=st.floats(0.0, 50.0))
def test_a_step_away_from_zero_is_untouched_and_one_towards_it_shrinks_by_the_factor(w: float, g: float, m: float):
    at, grad, none = doubles(w), doubles(g), Moments(doubles(0.0), doubles(0.0))
    plain = float(adam_step(at, grad, none, number=1, lr=0.1)[0] - at)
    held = float(adam_step(at, grad, none, number=1, lr=0.1, metaplasticity=m)[0] - at)
    towards_zero = w * g > 0.0
    factor = 1.0 - math.tanh(m * abs(w)) ** 2 if towards_zero else 1.0
    assert held == pytest.approx(factor * plain, rel=1e-9, abs=1e-12)


def test_the_moment_decides_and_not_the_gradient_at_hand():
    at, past = doubles(1.0), Moments(doubles(1.0), doubles(1.0))
    after, moments = adam_step(at, doubles(-1.0), past, number=9, lr=0.1, metaplasticity=50.0)
    assert float(moments.first) == pytest.approx(0.8)
    assert float(after) == pytest.approx(1.0)


def test_without_metaplasticity_it_is_adam():
    generator = torch.Generator().manual_seed(3)
    ours = torch.randn(20, generator=generator, dtype=torch.float64)
    theirs, moments = ours.clone().requires_grad_(), Moments(torch.zeros_like(ours), torch.zeros_like(ours))
    optimizer = torch.optim.Adam([theirs], lr=0.01)
    for number in range(1, 8):
        grad = torch.randn(20, generator=generator, dtype=torch.float64)
        theirs.grad = grad
        optimizer.step()
        ours, moments = adam_step(ours, grad, moments, number=number, lr=0.01)
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=1e-12)


def test_a_negative_metaplasticity_is_refused():
    with pytest.raises(ValueError, match="metaplasticity must be >= 0"):
        metaplastic_factor(doubles(1.0), -1.0)
