from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax

from learner.memory.fusion import Fusion, FusionState
from learner.memory.fusion_kernels import class_shares

EXPERTS, CLASSES = 4, 3
rounds = arrays(np.float64, (12, EXPERTS, CLASSES), elements=st.floats(-30, 0))


def after(fusion: Fusion, said: np.ndarray) -> FusionState:
    state = fusion.start(EXPERTS)
    for number, values in enumerate(said):
        state = fusion.learn(state, log_softmax(values, axis=1), number % CLASSES)
    return state


@given(rounds)
def test_the_voices_are_a_distribution_with_a_floor(said: np.ndarray):
    fusion = Fusion()
    voices = fusion.voices(after(fusion, said))
    assert voices.sum() == float(np.float64(voices.sum()))
    assert abs(voices.sum() - 1.0) < 1e-12
    assert voices.min() >= fusion.floor - 1e-15


@given(rounds)
def test_fused_probabilities_are_probabilities_and_never_far_below_any_expert(said: np.ndarray):
    fusion = Fusion()
    log_p = log_softmax(said[-1], axis=1)
    fused = fusion.votes(after(fusion, said[:-1]), np.exp(log_p[:1])[None], log_p[None, 1:])[0, 0]
    assert abs(fused.sum() - 1.0) < 1e-9
    for expert in log_p:
        assert (np.log(fused) >= expert + math.log(fusion.floor) - 1e-9).all()


@given(rounds, st.floats(0.0, 1.0), st.floats(0.0, 5.0), st.integers(0))
def test_where_the_record_is_silent_the_plain_product_speaks(
    said: np.ndarray, silent: float, freshness: float, drawn: int
):
    fusion, state = Fusion(freshness=freshness), after(Fusion(), said[:-1])
    log_p = log_softmax(said[-1], axis=1)
    fresh = np.array([drawn >> c & 1 for c in range(log_p.shape[1])], np.bool_)
    network, remembered = np.exp(log_p[:1])[None], log_p[None, 1:]
    product = np.exp(log_softmax(log_p[0] - freshness * fresh + fusion.recall * log_p[1]))
    heard, mixed = (
        fusion.votes(state, network, remembered, silent=share, fresh=fresh)[0, 0] for share in (0.0, silent)
    )
    share = min(silent, 1.0 - fusion.floor)
    assert mixed == pytest.approx((1.0 - share) * heard + share * product, abs=1e-12)


@given(rounds, st.floats(0.1, 50.0))
def test_shares_of_classes_are_a_softmax_of_every_memory_and_the_best_is_that_of_the_first(
    logs: np.ndarray, temperature: float
):
    shares, best = class_shares(tuple(np.ascontiguousarray(logs[:, m]) for m in range(EXPERTS)), temperature)
    assert shares == pytest.approx(log_softmax(logs / temperature, axis=2), abs=1e-9)
    assert np.array_equal(best, logs[:, 0].max(axis=1))


@given(rounds)
def test_fusion_repeats_to_the_bit(said: np.ndarray):
    first, second = after(Fusion(), said), after(Fusion(), said)
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


@given(rounds, st.floats(0.0, 20.0))
def test_the_pool_leads_by_so_many_nats_and_no_expert_gains_on_another(said: np.ndarray, lead: float):
    ahead, even = Fusion(lead=lead, floor=0.0), Fusion(lead=0.0, floor=0.0)
    state = after(ahead, said)
    assert all(np.array_equal(one, other) for one, other in zip(state, after(even, said), strict=True))
    expected = even.voices(state) * np.append(np.ones(EXPERTS), math.exp(lead))
    assert ahead.voices(state) == pytest.approx(expected / expected.sum(), abs=1e-9)


@pytest.mark.parametrize("name", ["lead", "freshness"])
def test_a_lead_or_freshness_below_zero_is_refused(name: str):
    with pytest.raises(ValueError, match=f"{name} must be >= 0"):
        Fusion(**{name: -1.0})


def test_trust_follows_the_evidence_and_changes_its_mind():
    fusion, state = Fusion(), Fusion().start(2)
    good, bad = np.log([0.9, 0.1]), np.log([0.2, 0.8])
    for _ in range(100):
        state = fusion.learn(state, np.stack([good, bad]), 0)
    assert fusion.voices(state)[1] < 0.05
    for _ in range(150):
        state = fusion.learn(state, np.stack([bad, good]), 0)
    assert fusion.voices(state)[0] < 0.05
